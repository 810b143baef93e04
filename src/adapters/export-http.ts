// SPDX-License-Identifier: Apache-2.0
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { ExporterCode } from '../exporter/codes.ts';
import { readCertificates, readToken } from './export-files.ts';

export type PostTarget = {
  readonly endpoint: string;
  readonly credentialFile: string | null;
  readonly caFile: string | null;
};

/** What came of one request: confirmed with at most 64 KiB of the answer, or why not. */
export type Posted =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly code: ExporterCode; readonly retryAfterMs: number | null };

const answerBytesMax = 65_536;
const busyStatuses: ReadonlySet<number> = new Set([408, 425, 429]);
const certificateFault =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|CRL_)/;

/**
 * Sends JSON to one endpoint by POST. The endpoint is believed in one thing only, that a 2xx means
 * it has it: a redirect is a refusal, an answer is read to a bound and dropped, a certificate that
 * is not trusted for its name ends it, and nothing it says reaches a log.
 */
export class HttpPoster {
  readonly #url: URL;
  readonly #target: PostTarget;
  #agent: HttpAgent | HttpsAgent | null = null;
  #closed = false;

  constructor(target: PostTarget) {
    this.#target = target;
    this.#url = new URL(target.endpoint);
  }

  /** Resolves with what came of it; never rejects. `path` is added to the endpoint's own. */
  async post(path: string, body: Uint8Array, signal: AbortSignal): Promise<Posted> {
    if (this.#closed) return failed('EXPORT_CLOSED');
    let token: string | null;
    let ca: string | null;
    try {
      // Read each time, so that a token or an authority can be replaced without a restart.
      token = await readToken(this.#target.credentialFile);
      ca = await readCertificates(this.#target.caFile);
    } catch {
      // Absent, exposed or malformed: nothing is sent without what the mesh file asks for.
      return failed('EXPORT_CREDENTIAL_UNREADABLE');
    }
    return this.#send(path, body, { token, ca }, signal);
  }

  close(): void {
    this.#closed = true;
    this.#agent?.destroy();
  }

  #send(
    path: string,
    body: Uint8Array,
    { token, ca }: { readonly token: string | null; readonly ca: string | null },
    signal: AbortSignal,
  ): Promise<Posted> {
    return new Promise((resolve) => {
      const request = this.#open(path, {
        method: 'POST',
        signal,
        ...(ca === null ? {} : { ca }),
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
      });
      request.on('response', (response) => {
        resolve(answerOf(response));
      });
      request.on('error', (failure) => resolve(failed(codeOf(failure, signal))));
      request.end(body);
    });
  }

  #open(path: string, options: object): ClientRequest {
    const url = new URL(this.#url);
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    if (url.protocol === 'https:') {
      this.#agent ??= new HttpsAgent({ keepAlive: true, maxSockets: 2, minVersion: 'TLSv1.2' });
      return httpsRequest(url, { ...options, agent: this.#agent });
    }
    this.#agent ??= new HttpAgent({ keepAlive: true, maxSockets: 2 });
    return httpRequest(url, { ...options, agent: this.#agent });
  }
}

async function answerOf(response: IncomingMessage): Promise<Posted> {
  const status = response.statusCode ?? 0;
  const body = await readBounded(response);
  if (body === null) return failed('EXPORT_ENDPOINT_GARBLED');
  if (status >= 200 && status < 300) return { ok: true, body };
  if (status === 413) return failed('EXPORT_BATCH_TOO_LARGE');
  if (busyStatuses.has(status) || status >= 500) {
    return { ok: false, code: 'EXPORT_ENDPOINT_BUSY', retryAfterMs: retryAfterMs(response) };
  }
  return failed('EXPORT_ENDPOINT_REFUSED');
}

/** Null when the answer broke off or never ends. */
async function readBounded(response: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > answerBytesMax) {
        response.destroy();
        return null;
      }
      chunks.push(part);
    }
  } catch {
    // Broken off: whether the endpoint has it is not known, so it has not.
    return null;
  }
  return Buffer.concat(chunks);
}

/** `Retry-After` in seconds (RFC 9110, section 10.2.3); a date or anything else is not followed. */
function retryAfterMs(response: IncomingMessage): number | null {
  const value = response.headers['retry-after'] ?? '';
  return /^[0-9]{1,6}$/.test(value) ? Number(value) * 1000 : null;
}

function failed(code: ExporterCode): Posted {
  return { ok: false, code, retryAfterMs: null };
}

/** The fault by its kind; its text may quote what the endpoint sent and is dropped. */
export function codeOf(failure: unknown, signal: AbortSignal): ExporterCode {
  if (signal.aborted) return 'EXPORT_ENDPOINT_LATE';
  const code: unknown = failure instanceof Error ? Reflect.get(failure, 'code') : null;
  if (typeof code !== 'string') return 'EXPORT_ENDPOINT_UNREACHABLE';
  if (certificateFault.test(code)) return 'EXPORT_CERTIFICATE_REFUSED';
  if (/^(HPE_|ERR_SSL_|EPROTO|ERR_HTTP)/.test(code)) return 'EXPORT_ENDPOINT_GARBLED';
  return 'EXPORT_ENDPOINT_UNREACHABLE';
}
