// SPDX-License-Identifier: Apache-2.0
import { ulidTimeMs } from '../message/identifiers.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { followedFrom, type Followed } from './late-refusal.ts';

export type LateRefusal = { readonly agent: string; readonly task: string; readonly message: string };

export type LateRefusalsOptions = {
  /** Entries since then, oldest first, as far as they are looked back over. */
  readonly entriesSince: (sinceMs: number) => AsyncIterable<RecordedEntry>;
  readonly contain: (late: LateRefusal, followed: Followed) => Promise<void>;
  readonly report: (failure: unknown) => void;
};

/** Of one agent; what comes while so many wait is left out, and only its own sidecar can bring that about. */
const waitingMax = 256;
/** Of one agent; the oldest is forgotten first. */
const knownMax = 1_024;
/** Asked about in one pass over the record. */
const askedMax = 64;

/**
 * What judges refused late, as sidecars say it. A sidecar that was taken over says it of whatever it likes, and
 * each pass over the record is long: one runs at a time, one asks of many whether that agent was ever sent
 * that message in that task, and of what it was, each message is followed once. Agents take turns, so
 * that a flood keeps nobody else's refusal waiting.
 */
export class LateRefusals {
  readonly #options: LateRefusalsOptions;
  readonly #waiting = new Map<string, LateRefusal[]>();
  readonly #known = new Map<string, Set<string>>();
  #working = false;

  constructor(options: LateRefusalsOptions) {
    this.#options = options;
  }

  /** Whether it is new, and will be looked at; never throws. */
  take(late: LateRefusal): boolean {
    const { agent, message } = late;
    const known = this.#known.get(agent) ?? new Set<string>();
    const waiting = this.#waiting.get(agent) ?? [];
    // Of each agent for itself: else one would name a message first, with a wrong task, for another.
    const key = `${late.task} ${message}`;
    if (known.has(key) || waiting.length >= waitingMax) return false;
    this.#known.set(agent, known.add(key));
    const [oldest] = known.size > knownMax ? known : [];
    if (oldest !== undefined) known.delete(oldest);
    waiting.push(late);
    this.#waiting.set(agent, waiting);
    this.#resume();
    return true;
  }

  #resume(): void {
    if (this.#working) return;
    this.#working = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    for (let asked = this.#next(); asked.length > 0; asked = this.#next()) {
      try {
        const sent = await this.#sent(asked);
        for (const late of sent) await this.#contain(late);
      } catch (failure) {
        // The record cannot be read: tasks are ended all the same, and what is not contained is said.
        this.#options.report(failure);
      }
    }
    this.#working = false;
  }

  /** The oldest of each agent in turn. */
  #next(): readonly LateRefusal[] {
    const asked: LateRefusal[] = [];
    while (asked.length < askedMax && this.#waiting.size > 0) {
      for (const [agent, waiting] of this.#waiting) {
        const late = waiting.shift();
        if (waiting.length === 0) this.#waiting.delete(agent);
        if (late !== undefined) asked.push(late);
      }
    }
    return asked;
  }

  /** Of what it was never sent, in that task, a sidecar has nothing to say. */
  async #sent(asked: readonly LateRefusal[]): Promise<readonly LateRefusal[]> {
    const open = new Set(asked);
    const sent: LateRefusal[] = [];
    const sinceMs = Math.min(...asked.map(({ message }) => ulidTimeMs(message) ?? 0));
    for await (const { kind, message, task, detail } of this.#options.entriesSince(sinceMs)) {
      if (kind !== 'message.admitted') continue;
      for (const late of open) {
        if (late.message !== message || late.task !== task || late.agent !== detail['to']) continue;
        open.delete(late);
        sent.push(late);
      }
      if (open.size === 0) break;
    }
    return sent;
  }

  async #contain(late: LateRefusal): Promise<void> {
    const { entriesSince, contain, report } = this.#options;
    try {
      await contain(late, await followedFrom(late.message, entriesSince(ulidTimeMs(late.message) ?? 0)));
    } catch (failure) {
      report(failure);
    }
  }
}
