// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** What an agent made of instructions that nobody could understand (EP-09). */
export type Clarity = {
  readonly agent: string;
  /** Instructions that left out what they are unclear without. */
  readonly unclear: number;
  /** Times that it asked back. */
  readonly asked: number;
  /** Messages that it sent again in the same task to the same agent: rework. */
  readonly again: number;
  /** It was told unclear things often enough, and hardly ever asked. */
  readonly neverAsks: boolean;
};

/** Schema of what an agent asks back; as in `message/clarification`. */
const clarification = 'clarification/1';
/** Requests and their outcomes are repeated for reasons of their own. */
const notWork: ReadonlySet<string> = new Set(['action-request/1', 'action-outcome/1', clarification]);
const unclearMin = 5;
const askedMin = 0.05;
/** Messages whose repetition is remembered; the oldest is forgotten first. */
const sentMax = 100_000;

type Counts = { unclear: number; asked: number; again: number };

/** Whether agents ask back where they could not know, over entries in the order of the log (PG-2.10). */
export class ClarityLog {
  readonly #agents = new Map<string, Counts>();
  readonly #sent = new Set<string>();

  add({ kind, code, task, detail }: RecordedEntry): void {
    if (kind === 'indicator.raised' && code === 'INTENT_UNCLEAR') this.#of(detail['instructed'], 'unclear');
    if (kind !== 'message.admitted') return;
    const { from, to, schema } = detail;
    if (typeof from !== 'string' || typeof to !== 'string' || typeof schema !== 'string') return;
    if (schema === clarification) this.#of(from, 'asked');
    if (notWork.has(schema) || task === null) return;
    const key = `${task} ${from} ${to} ${schema}`;
    if (this.#sent.has(key)) this.#of(from, 'again');
    this.#sent.add(key);
    const [oldest] = this.#sent.size > sentMax ? this.#sent : [];
    if (oldest !== undefined) this.#sent.delete(oldest);
  }

  /** Agents that something is to be said of, by name. */
  clarities(): readonly Clarity[] {
    return [...this.#agents].sort(([a], [b]) => (a < b ? -1 : 1)).map(([agent, counts]) => ({
      agent,
      ...counts,
      neverAsks: counts.unclear >= unclearMin && !(counts.asked / counts.unclear >= askedMin),
    }));
  }

  #of(agent: unknown, count: keyof Counts): void {
    if (typeof agent !== 'string') return;
    const counts = this.#agents.get(agent) ?? { unclear: 0, asked: 0, again: 0 };
    counts[count] += 1;
    this.#agents.set(agent, counts);
  }
}
