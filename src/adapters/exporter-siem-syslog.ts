// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ExporterCode } from '../exporter/codes.ts';
import { ocsfEvent } from '../exporter/ocsf.ts';
import { syslogFrame } from '../exporter/syslog.ts';
import type { Delivery, ExportedEntry, Exporter } from '../recorder/exporter.ts';
import { codeOf } from './export-http.ts';
import { readCertificates, readKey } from './export-files.ts';
import { WatchedConnection } from './tls-ending.ts';

export type SyslogTarget = {
  readonly host: string;
  readonly port: number;
  readonly caFile: string | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
};

/**
 * OCSF events as syslog over TLS (RFC 5425). The protocol has no receipts, and a write that the
 * system took says nothing about the server. So each batch is a connection: all frames, then the end
 * of the stream, and only when the server has answered with its own `close_notify`, which it sends
 * after it has read ours (RFC 5425, section 4.4), is the batch confirmed. A connection that is only
 * cut confirms nothing.
 */
export class SiemSyslogExporter implements Exporter {
  readonly batchEntriesMax = 1000;
  readonly #target: SyslogTarget;
  readonly #host = printable(hostname());
  #session: Buffer | null = null;
  #closed = false;

  constructor(target: SyslogTarget) {
    this.#target = target;
  }

  async deliver(entries: readonly ExportedEntry[], signal: AbortSignal): Promise<Delivery> {
    if (this.#closed) return failed('EXPORT_CLOSED');
    let options: ConnectionOptions;
    try {
      options = await this.#options();
    } catch {
      // Absent, exposed or malformed: no connection without what the mesh file asks for.
      return failed('EXPORT_CREDENTIAL_UNREADABLE');
    }
    const frames = entries.map((entry) => syslogFrame(ocsfEvent(entry), this.#host));
    return this.#send(Buffer.concat(frames), options, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #options(): Promise<ConnectionOptions> {
    const { host, caFile, certificateFile, keyFile } = this.#target;
    const ca = await readCertificates(caFile);
    const cert = await readCertificates(certificateFile);
    const key = await readKey(keyFile);
    return {
      host,
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
      ...(this.#session === null ? {} : { session: this.#session }),
    };
  }

  #send(bytes: Buffer, options: ConnectionOptions, signal: AbortSignal): Promise<Delivery> {
    return new Promise((resolve) => {
      const connection = new WatchedConnection(this.#target.host, this.#target.port);
      const socket: TLSSocket = connect({ ...options, socket: connection.stream });
      const settle = (delivery: Delivery): void => {
        signal.removeEventListener('abort', onAbort);
        socket.destroy();
        connection.destroy();
        resolve(delivery);
      };
      const onAbort = (): void => settle(failed('EXPORT_ENDPOINT_LATE'));
      signal.addEventListener('abort', onAbort, { once: true });
      let flushed = false;
      socket.once('secureConnect', () => socket.end(bytes, () => (flushed = true)));
      socket.on('session', (session) => (this.#session = session));
      socket.on('error', (failure) => {
        this.#session = null;
        settle(failed(codeOf(failure, signal)));
      });
      // What a server says is read, so that its end is seen, and dropped.
      socket.resume();
      socket.once('end', () =>
        settle(
          flushed && connection.saidClose
            ? { ok: true, rejected: 0 }
            : failed('EXPORT_ENDPOINT_UNREACHABLE'),
        ),
      );
      socket.once('close', () => settle(failed('EXPORT_ENDPOINT_UNREACHABLE')));
      if (signal.aborted) onAbort();
    });
  }
}

function failed(code: ExporterCode): Delivery {
  return { ok: false, code, retryAfterMs: null };
}

/** A host name as RFC 5424 takes it: printable ASCII, at most 255 characters. */
function printable(name: string): string {
  const clean = name.replace(/[^\x21-\x7e]/g, '').slice(0, 255);
  return clean === '' ? '-' : clean;
}
