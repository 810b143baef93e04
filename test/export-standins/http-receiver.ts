// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerIdentity } from './certificates.ts';

export type Received = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
};

export type Answer = {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
};

/**
 * Stands in for an OTLP collector or an HTTP SIEM on loopback: keeps what it takes with a 2xx, and
 * answers whatever a test says. An answer of null never comes.
 */
export class HttpReceiver {
  /** Requests answered with a 2xx, in order. */
  readonly taken: Received[] = [];
  readonly seen: Received[] = [];
  answer: (request: Received) => Answer | null | Promise<Answer | null> = () =>
    ({ status: 200, body: '{}' });
  readonly #identity: ServerIdentity | null;
  #server: Server | null = null;
  port = 0;

  static async listen(identity: ServerIdentity | null = null): Promise<HttpReceiver> {
    const receiver = new HttpReceiver(identity);
    await receiver.open();
    return receiver;
  }

  private constructor(identity: ServerIdentity | null) {
    this.#identity = identity;
  }

  get endpoint(): string {
    return `${this.#identity === null ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Listens, again on the port of before where there was one. */
  async open(): Promise<void> {
    const handler = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#handle(request, response);
    const server = this.#identity === null
      ? createServer(handler)
      : createTlsServer({ ...this.#identity }, handler);
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Everything taken at a path, parsed. */
  bodies(path: string): readonly unknown[] {
    return this.taken.filter((one) => one.path === path).map(({ text }) => JSON.parse(text) as unknown);
  }

  /** `log:sequence` of every OCSF event taken, in order. */
  places(): string[] {
    return this.bodies('/').flatMap((events) =>
      (events as readonly { readonly metadata: { readonly uid: string } }[]).map(
        ({ metadata }) => metadata.uid,
      ),
    );
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
    } catch {
      // The exporter hung up in the middle: nothing was received.
      return;
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const received: Received = { path: request.url ?? '', headers: request.headers, text };
    this.seen.push(received);
    const answer = await this.answer(received);
    if (answer === null) return;
    if (answer.status >= 200 && answer.status < 300) this.taken.push(received);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body ?? '');
  }
}
