// SPDX-License-Identifier: Apache-2.0
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerIdentity } from './certificates.ts';

/**
 * Stands in for a syslog server over TLS (RFC 5425): reads frames by their octet counts, and ends
 * its side when the client has ended the stream.
 */
export class SyslogReceiver {
  /** Messages of connections that were read to their end, in order. */
  readonly messages: string[] = [];
  /** False: it reads and never ends its side. */
  confirms = true;
  /** True: it hangs up after the first bytes. */
  hangsUp = false;
  readonly #identity: ServerIdentity;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  port = 0;

  static async listen(identity: ServerIdentity): Promise<SyslogReceiver> {
    const receiver = new SyslogReceiver(identity);
    await receiver.open();
    return receiver;
  }

  private constructor(identity: ServerIdentity) {
    this.#identity = identity;
  }

  async open(): Promise<void> {
    const { key, cert } = this.#identity;
    const server = createServer({ key, cert, allowHalfOpen: true }, (socket) => this.#read(socket));
    server.on('tlsClientError', () => undefined);
    // Those whose handshake fails too: they would keep the server from closing.
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** The OCSF events, without their syslog headers. */
  events(): readonly { readonly metadata: { readonly uid: string } }[] {
    return this.messages.map((message) => JSON.parse(message.slice(message.indexOf('\uFEFF') + 1)));
  }

  #read(socket: TLSSocket): void {
    const chunks: Buffer[] = [];
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      if (this.hangsUp) socket.destroy();
      chunks.push(chunk);
    });
    socket.on('end', () => {
      if (!this.confirms) return;
      this.messages.push(...framesOf(Buffer.concat(chunks)));
      socket.end();
    });
  }
}

/** `MSG-LEN SP SYSLOG-MSG`, one after the other; throws where the count is not one. */
function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const count = bytes.subarray(at, space).toString('ascii');
    if (!/^[1-9][0-9]*$/.test(count)) throw new Error('no octet count');
    const end = space + 1 + Number(count);
    if (end > bytes.length) throw new Error('a frame is cut off');
    frames.push(bytes.subarray(space + 1, end).toString('utf8'));
    at = end;
  }
  return frames;
}
