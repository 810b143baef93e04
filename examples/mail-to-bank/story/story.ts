// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { joinMesh, type MeshAgent } from '../../../src/sdk/join-mesh.ts';
import { payloadOf, type Payloads } from '../agents/messages.ts';
import type { Ready } from './mesh-process.ts';
import { endingOf, MeshRecord, within } from './record.ts';

/** What became of one scenario, as the record tells it. */
export type Seen = {
  /** `DONE`, or the code that refused and the values it refused. */
  readonly ending: string;
  /** For `maso trace`; null where nothing passed through the mesh. */
  readonly trace: string | null;
  /** What else was seen: an indicator, a dropped connection, a person's release. */
  readonly also: readonly string[];
};

const settleMs = 5_000;
const taskMs = 25_000;

/** The running mesh as the scenarios use it; the person at the desk is played here. */
export class Story {
  readonly state: string;
  readonly record: MeshRecord;
  readonly #desk: MeshAgent;
  readonly #results = new Map<string, Payloads['order-result/1']>();
  readonly #stopped = new AbortController();
  /** Why the desk hears nothing any more. */
  #lost: unknown = null;

  static async open(ready: Ready): Promise<Story> {
    const desk = ready.sidecars.find(({ agent }) => agent === 'desk');
    if (desk === undefined || desk.tokenFile === null) throw new Error('The mesh has no desk.');
    const token = readFileSync(desk.tokenFile, 'utf8');
    return new Story(ready.state, await joinMesh({ sidecar: desk.address, token }));
  }

  private constructor(state: string, desk: MeshAgent) {
    this.state = state;
    this.#desk = desk;
    this.record = new MeshRecord(state);
    void this.#hear();
  }

  close(): void {
    this.#stopped.abort();
    this.#desk.close();
  }

  /** Orders at the desk and waits until the order ended as expected, or for long enough. */
  async order(prompt: Payloads['invoice-order/1'], expected: string): Promise<Seen> {
    const { task } = await this.begin(prompt);
    return this.ended(task, expected);
  }

  async begin(prompt: Payloads['invoice-order/1']): Promise<{ readonly task: string }> {
    const order = { to: 'orchestrator', schema: 'invoice-order/1', prompt };
    const { task, code, verdict } = await this.#desk.startTask(order);
    if (task === null || verdict === 'NO-GO') throw new Error(`The desk may not order: ${code}.`);
    return { task };
  }

  async ended(task: string, expected: string): Promise<Seen> {
    const isOver = async (): Promise<true | null> => {
      if (this.#lost !== null) throw this.#lost;
      return this.#results.has(task) || (await this.#sessionEndOf(task)) !== null ? true : null;
    };
    await within(taskMs, isOver);
    return this.seen(task, expected);
  }

  /** Sidecars record what is not privileged a moment after it happened, so the trace may grow. */
  async seen(id: string, expected: string): Promise<Seen> {
    const asExpected = await within(settleMs, async () => {
      const trace = await this.record.trace(id);
      return trace !== null && endingOf(trace) === expected ? trace : null;
    });
    const trace = asExpected ?? (await this.record.trace(id));
    if (trace === null) return { ending: 'NOT-RECORDED', trace: id, also: [] };
    const also: string[] = [];
    if (trace.maso.steps.some(({ kind }) => kind === 'indicator.raised')) also.push('indicator');
    if (trace.maso.people.length > 0) also.push(`released by ${trace.maso.people.join(', ')}`);
    if ((await this.#sessionEndOf(id)) !== null) also.push('session ended');
    return { ending: endingOf(trace), trace: id, also };
  }

  /** The end of an agent's session that a refusal within this task brought about. */
  async #sessionEndOf(task: string): Promise<string | null> {
    const entries = await this.record.entries();
    const raised = entries.find((one) => one.kind === 'indicator.raised' && one.task === task);
    const end = entries.find(
      ({ kind, actor, detail, at }) =>
        kind === 'session.ended' &&
        raised !== undefined &&
        actor === raised.actor &&
        detail['reason'] === raised.code &&
        at >= raised.at,
    );
    return end?.id ?? null;
  }

  async #hear(): Promise<void> {
    try {
      for await (const message of this.#desk.messages(this.#stopped.signal)) {
        const result = payloadOf(message, 'order-result/1');
        if (result !== null) this.#results.set(message.task, result);
      }
    } catch (failure) {
      // The story is over, or the scenario that waits for a result rethrows this.
      this.#lost = failure;
    }
  }
}
