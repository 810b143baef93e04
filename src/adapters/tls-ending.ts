// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

const headerBytes = 5;
const alertType = 21;
const applicationType = 23;
/** An encrypted alert of TLS 1.3: 2 bytes, its type and a tag. Session tickets are longer. */
const alertBytesMax = 48;

/**
 * A TCP connection under a TLS session that tells how the other side ended it. Node ends the stream
 * alike for a `close_notify` and for a connection that was only cut; here the records are watched as
 * they come. A record that somebody on the way adds does not pass the session, which then fails.
 */
export class WatchedConnection {
  readonly stream: Duplex;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #last: { readonly type: number; readonly bytes: number } | null = null;

  constructor(host: string, port: number) {
    const socket = connect({ host, port });
    this.#socket = socket;
    this.stream = new Duplex({
      read: () => void socket.resume(),
      write: (chunk, _encoding, done) => void socket.write(chunk, done),
      final: (done) => void socket.end(() => done()),
      destroy: (failure, done) => {
        socket.destroy();
        done(failure);
      },
    });
    socket.on('data', (chunk) => {
      this.#watch(chunk);
      if (!this.stream.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.stream.push(null));
    socket.on('error', (failure) => this.stream.destroy(failure));
  }

  /** True when the last record that came is an alert, which after a whole session is its end. */
  get saidClose(): boolean {
    const last = this.#last;
    if (last === null || this.#rest.length > 0) return false;
    return last.type === alertType || (last.type === applicationType && last.bytes <= alertBytesMax);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #watch(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= headerBytes) {
      const length = bytes.readUInt16BE(3);
      if (bytes.length < headerBytes + length) break;
      this.#last = { type: bytes[0] ?? 0, bytes: length };
      bytes = bytes.subarray(headerBytes + length);
    }
    this.#rest = bytes;
  }
}
