// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';

export type PutAsideRow = { readonly agent: string; readonly message: string };

/** A run of `agent`, as the node's own entries say, that was given what follows from `subject`; empty is not known. */
export type RunAside = { readonly run: string; readonly subject: string; readonly agent: string };

/**
 * Something put aside whose consequences are to be looked for again: when this agent, which was away, is
 * back; or, with null, as long as messages that were under way may arrive.
 */
export type OpenAside = { readonly subject: string; readonly agent: string | null };

/** Durable memory of what was put aside; what a method resolved survives `kill -9`. */
export interface PutAsideStore {
  load(sinceMs: number): readonly PutAsideRow[];
  /** In the order in which they were put aside. */
  loadRuns(sinceMs: number): readonly RunAside[];
  /** Also forgets what was put aside before `forgetMs`. */
  addRuns(runs: readonly RunAside[], nowMs: number, forgetMs: number): Promise<void>;
  /** Also forgets what was put aside before `forgetMs`. */
  add(rows: readonly PutAsideRow[], nowMs: number, forgetMs: number): Promise<void>;
  loadOpen(sinceMs: number): readonly OpenAside[];
  /** Also forgets what was opened before `forgetMs`. */
  open(rows: readonly OpenAside[], nowMs: number, forgetMs: number): Promise<void>;
  close(row: OpenAside): Promise<void>;
}

/** Longer than any task may last, and any message may wait. */
const keptMs = 8 * 24 * 3_600_000;
/** Messages of one agent; the oldest is forgotten first. */
const perAgentMax = 10_000;
/** Runs of all: of whoever has most of them the oldest is forgotten, since names of runs are a sidecar's to make up. */
const runsMax = 10_000;

/**
 * Messages that no agent is to be given, or to have read, any more, and runs of agents that end: they follow
 * from what a judge refused late or an operator put aside. Remembered, because a sidecar that is away then hears of it when it is back.
 */
export class PutAside {
  readonly #store: PutAsideStore;
  readonly #clock: Clock;
  readonly #agents = new Map<string, Set<string>>();
  /** Run -> the agent that it is a run of. */
  readonly #runs = new Map<string, string>();
  readonly #runsOf = new Map<string, Set<string>>();
  readonly #unfinished: readonly OpenAside[];

  constructor(store: PutAsideStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    const sinceMs = clock.nowMs() - keptMs;
    this.#keep(store.load(sinceMs));
    this.#keepRuns(store.loadRuns(sinceMs));
    this.#unfinished = store.loadOpen(sinceMs);
  }

  of(agent: string): readonly string[] {
    return [...(this.#agents.get(agent) ?? [])];
  }

  has(agent: string, message: string): boolean {
    return this.#agents.get(agent)?.has(message) === true;
  }

  /** By the agent that each was for. */
  messages(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#agents;
  }

  isRunAside(run: string): boolean {
    return this.#runs.has(run);
  }

  runs(): readonly string[] {
    return [...this.#runs.keys()];
  }

  /** What was open when this began: all that followed may not have been found. */
  unfinished(): readonly OpenAside[] {
    return this.#unfinished;
  }

  /** Open until it is finished for each of them, also after a crash; durable when it resolves. */
  async open(subject: string, away: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const rows = [null, ...away].map((agent) => ({ subject, agent }));
    await this.#store.open(rows, nowMs, nowMs - keptMs);
  }

  async finish(subject: string, agent: string | null): Promise<void> {
    await this.#store.close({ subject, agent });
  }

  /** In force at once; durable when it resolves. */
  async addRuns(subject: string, ids: readonly string[], agentOf: (run: string) => string): Promise<void> {
    const runs = ids.map((run) => ({ run, subject, agent: agentOf(run) }));
    this.#keepRuns(runs);
    const nowMs = this.#clock.nowMs();
    if (runs.length > 0) await this.#store.addRuns(runs, nowMs, nowMs - keptMs);
  }

  #keepRuns(runs: readonly RunAside[]): void {
    for (const { run, agent } of runs) {
      if (this.#runs.has(run)) continue;
      this.#runs.set(run, agent);
      const own = this.#runsOf.get(agent) ?? new Set<string>();
      this.#runsOf.set(agent, own.add(run));
      if (this.#runs.size > runsMax) this.#forgetOne();
    }
  }

  /** One agent whose sidecar was taken over pushes out its own runs, and no run of another one. */
  #forgetOne(): void {
    let most = new Set<string>();
    for (const own of this.#runsOf.values()) if (own.size > most.size) most = own;
    const [oldest] = most;
    if (oldest === undefined) return;
    most.delete(oldest);
    this.#runs.delete(oldest);
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
