// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from './agent-line.ts';
import { until, type MeshFolder } from './running-mesh.ts';

export type LoadOptions = {
  /** Messages and requests kept under way at once. */
  readonly messages: number;
  readonly requests: number;
};

const pauseMs = 20;

/**
 * Load on a mesh whose processes come and go: `reader` sends notes to `planner`, which takes them
 * and asks `payments` to count. It remembers what it was promised; a note whose call breaks off was
 * not promised and is not repeated.
 */
export class CrashLoad {
  /** Ids of notes that the mesh said it has. */
  readonly acknowledged = new Set<string>();
  readonly received = new Set<string>();
  /** Notes handed over again after their acknowledgement had succeeded. */
  readonly twice: string[] = [];
  /** Ids of admitted requests, and how each ended. */
  readonly #requests = new Map<string, string | null>();
  readonly #keyOf = new Map<string, string>();
  readonly #reader: HostileAgent;
  readonly #planner: HostileAgent;
  readonly #loops: Promise<void>[] = [];
  readonly #taker: Promise<void>;
  readonly #done = new Set<string>();
  #broken = 0;
  #stopping = false;
  #stopped = false;

  /** `desk` gives the planner a task first, since nobody acts without a mandate. */
  static async start(
    folder: MeshFolder,
    desk: HostileAgent,
    options: LoadOptions = { messages: 8, requests: 2 },
  ): Promise<CrashLoad> {
    const [reader, planner] = await Promise.all(
      ['reader', 'planner'].map((agent) =>
        HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent)),
      ),
    );
    if (reader === undefined || planner === undefined) throw new Error('No agents.');
    const prompt = { text: 'count' };
    await until('the order', async () => {
      await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt }).catch(() => null);
      return (await planner.take(500)) && planner.task !== null;
    });
    return new CrashLoad(reader, planner, options);
  }

  private constructor(reader: HostileAgent, planner: HostileAgent, options: LoadOptions) {
    this.#reader = reader;
    this.#planner = planner;
    for (let index = 0; index < options.messages; index += 1) this.#loops.push(this.#send());
    for (let index = 0; index < options.requests; index += 1) this.#loops.push(this.#ask());
    this.#taker = this.#take();
  }

  /** Ends the load; the inbox goes on being emptied until `end`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#loops);
  }

  async end(): Promise<void> {
    await this.stop();
    this.#stopped = true;
    await this.#taker;
  }

  lost(): readonly string[] {
    return [...this.acknowledged].filter((id) => !this.received.has(id));
  }

  open(): readonly string[] {
    return [...this.#requests].filter(([, status]) => status === null).map(([id]) => id);
  }

  count(status: string): number {
    return [...this.#requests.values()].filter((one) => one === status).length;
  }

  /** Idempotency keys under which something was done; repeated requests share one. */
  doneKeys(): ReadonlySet<string> {
    // The outcome of a request whose call broke off names an id that nobody was told.
    const done = [...this.#requests].filter(([, status]) => status === 'DONE');
    return new Set(done.flatMap(([id]) => this.#keyOf.get(id) ?? []));
  }

  summary(): string {
    const ends = [
      'DONE', 'REFUSED', 'FAILED', 'IN-DOUBT',
    ].map((end) => `${this.count(end)} ${end}`);
    return `${this.acknowledged.size} notes, ${ends.join(', ')}, ${this.#broken} calls broken off`;
  }

  /** One request whose end is waited for, over kills. */
  async request(action: string): Promise<JsonObject> {
    const id = await this.#requestOnce(action, 30_000);
    while (id !== null && this.#requests.get(id) === null) await pause();
    return { status: id === null ? null : (this.#requests.get(id) ?? null) };
  }

  async #send(): Promise<void> {
    while (!this.#stopping) {
      const heard = await this.#unlessBroken(
        this.#reader.send('planner', 'note/1', { text: randomUUID() }),
      );
      if (heard?.status === 202) this.acknowledged.add(String(heard.body['messageId']));
      else await pause();
    }
  }

  async #ask(): Promise<void> {
    while (!this.#stopping) await this.#requestOnce('count', 5_000);
  }

  /** Asked again under the same key when the call broke off, as an agent would. */
  async #requestOnce(action: string, waitMs: number): Promise<string | null> {
    const idempotencyKey = randomUUID();
    for (;;) {
      const heard = await this.#unlessBroken(
        this.#planner.post('/v1/requests', {
          to: 'payments', action, parameters: { name: 'a' }, idempotencyKey, waitMs,
          task: this.#planner.task,
        }),
      );
      const id = heard?.body['messageId'];
      if (heard !== null && typeof id === 'string' && heard.status < 300) {
        this.#keyOf.set(id, idempotencyKey);
        this.#ended(id, heard.body['outcome']);
        return id;
      }
      if (this.#stopping) return null;
      await pause();
    }
  }

  #ended(request: string, outcome: unknown): void {
    const known = this.#requests.get(request) ?? null;
    const status = isJsonObject(outcome) ? String(outcome['status']) : null;
    this.#requests.set(request, known ?? status);
  }

  async #take(): Promise<void> {
    while (!this.#stopped) {
      const heard = await this.#unlessBroken(
        this.#planner.post('/v1/inbox', { waitMs: 200, max: 256 }),
      );
      if (heard?.status !== 200) {
        await pause();
        continue;
      }
      const messages = (heard.body['messages'] ?? []) as readonly JsonObject[];
      for (const message of messages) this.#note(message);
      const ids = messages.map((message) => String(message['id']));
      if (ids.length === 0) continue;
      const acknowledged = await this.#unlessBroken(this.#planner.post('/v1/inbox/ack', { ids }));
      if (acknowledged?.status === 200) for (const id of ids) this.#done.add(id);
    }
  }

  #note(message: JsonObject): void {
    const id = String(message['id']);
    if (this.#done.has(id)) this.twice.push(id);
    if (message['schema'] === 'action-outcome/1') {
      this.#ended(String(message['inReplyTo']), message['payload']);
    } else this.received.add(id);
  }

  async #unlessBroken<Heard>(call: Promise<Heard>): Promise<Heard | null> {
    try {
      return await call;
    } catch {
      // The sidecar went away in the middle: nothing was promised.
      this.#broken += 1;
      return null;
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}
