// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleApi } from '../console/console-api.ts';
import { foldEntries } from '../console/live-feed.ts';
import type { RecordedEntry } from '../recorder/entry.ts';

const tellEveryMs = 250;
const beatEveryMs = 10_000;
/** What a page that comes new is told of: the last stretch of the log. */
const behindMax = 2_000;
const foldedMax = 2_000;
const clientsMax = 64;
/** Bytes that a page may leave unread; one that does not read is cut off and comes again. */
const unreadMax = 1024 * 1024;

type Client = {
  readonly response: ServerResponse;
  readonly isStill: () => boolean;
  next: number;
  toldAt: number;
};

/**
 * The log as it grows, as server-sent events: every quarter of a second one batch of sums and the
 * entries worth a look, however many came. The id of an event is the position in the log, so a page
 * that lost its line goes on where it was.
 */
export class ConsoleStream {
  readonly #log: Pick<ConsoleApi['log'], 'size' | 'read'>;
  readonly #groupOf: ConsoleApi['groupOf'];
  readonly #report: (failure: unknown) => void;
  readonly #clients = new Set<Client>();
  #timer: NodeJS.Timeout | null = null;
  #busy = false;

  constructor(api: Pick<ConsoleApi, 'log' | 'groupOf'>, report: (failure: unknown) => void) {
    this.#log = api.log;
    this.#groupOf = (agent) => api.groupOf(agent);
    this.#report = report;
  }

  serve(request: FastifyRequest, reply: FastifyReply, isStill: () => boolean): FastifyReply {
    if (this.#clients.size >= clientsMax) return reply.code(503).send({ code: 'CONSOLE_TRIED_TOO_OFTEN' });
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      ...Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    const size = this.#log.size();
    const last = Number(request.headers['last-event-id'] ?? NaN);
    const wanted = Number.isSafeInteger(last) && last >= 0 && last <= size ? last : size - behindMax;
    const client = {
      response, isStill, next: Math.max(0, wanted, size - behindMax), toldAt: performance.now(),
    };
    this.#clients.add(client);
    response.on('close', () => this.#drop(client));
    response.write('retry: 1000\n\n');
    this.#timer ??= setInterval(() => void this.#tell(), tellEveryMs).unref();
    void this.#tell();
    return reply;
  }

  close(): void {
    for (const client of this.#clients) {
      this.#drop(client);
      client.response.end();
    }
  }

  #drop(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  async #tell(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const size = this.#log.size();
      for (const client of this.#clients) await this.#tellOne(client, size);
    } catch (failure) {
      // The log could not be read just now: the next turn tries again from the same place.
      this.#report(failure);
    } finally {
      this.#busy = false;
    }
  }

  async #tellOne(client: Client, size: number): Promise<void> {
    const { response } = client;
    if (!client.isStill() || response.writableLength > unreadMax) {
      this.#drop(client);
      response.end();
      return;
    }
    if (client.next >= size) {
      if (performance.now() - client.toldAt < beatEveryMs) return;
      client.toldAt = performance.now();
      response.write(`event: beat\ndata: {"size":${size}}\n\n`);
      return;
    }
    const from = client.next;
    const entries: RecordedEntry[] = [];
    for await (const entry of this.#log.read(from, Math.min(size, from + foldedMax))) entries.push(entry);
    const batch = foldEntries(from, entries, this.#groupOf);
    client.next = batch.next;
    client.toldAt = performance.now();
    response.write(`event: batch\nid: ${batch.next}\ndata: ${JSON.stringify({ ...batch, size })}\n\n`);
  }
}
