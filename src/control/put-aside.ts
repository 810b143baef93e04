// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';

export type PutAsideRow = { readonly agent: string; readonly message: string };

/** Durable memory of what was put aside; `add` survives `kill -9` once it resolves. */
export interface PutAsideStore {
  load(sinceMs: number): readonly PutAsideRow[];
  /** Also forgets what was put aside before `forgetMs`. */
  add(rows: readonly PutAsideRow[], nowMs: number, forgetMs: number): Promise<void>;
}

/** Longer than any task may last, and any message may wait. */
const keptMs = 8 * 24 * 3_600_000;
/** Of one agent; the oldest is forgotten first. */
const perAgentMax = 10_000;

/**
 * Messages that no agent is to be given, or to have read, any more: they follow from one that a judge
 * refused late. Remembered, because a sidecar that is away then hears of it when it is back.
 */
export class PutAside {
  readonly #store: PutAsideStore;
  readonly #clock: Clock;
  readonly #agents = new Map<string, Set<string>>();

  constructor(store: PutAsideStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#keep(store.load(clock.nowMs() - keptMs));
  }

  of(agent: string): readonly string[] {
    return [...(this.#agents.get(agent) ?? [])];
  }

  has(agent: string, message: string): boolean {
    return this.#agents.get(agent)?.has(message) === true;
  }

  /** In force at once; durable when it resolves. */
  async add(messages: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const rows = [...messages].flatMap(([agent, ids]) => ids.map((message) => ({ agent, message })));
    this.#keep(rows);
    const nowMs = this.#clock.nowMs();
    if (rows.length > 0) await this.#store.add(rows, nowMs, nowMs - keptMs);
  }

  #keep(rows: readonly PutAsideRow[]): void {
    for (const { agent, message } of rows) {
      const known = this.#agents.get(agent) ?? new Set<string>();
      this.#agents.set(agent, known.add(message));
      const [oldest] = known.size > perAgentMax ? known : [];
      if (oldest !== undefined) known.delete(oldest);
    }
  }
}
