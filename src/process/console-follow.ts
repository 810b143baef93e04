// SPDX-License-Identifier: Apache-2.0
import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Reason } from '../anomaly/combine.ts';
import { Scorer } from '../anomaly/scorer.ts';
import { ledBack, observationOf, type ContextSize, type MembersOf } from '../anomaly/observation.ts';
import { AlignmentScores } from '../recorder/alignment.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { MeshCosts } from '../recorder/mesh-costs.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { WorkflowRuns } from '../recorder/workflow-runs.ts';

/** How an agent does by its scores, and the signs of it that are on record. */
export type Behaviour = {
  readonly agent: string;
  /** Null while no five minutes of it have passed. */
  readonly score: number | null;
  readonly at: number | null;
  readonly reasons: readonly Reason[];
  /** Scores of the last hours, one for five minutes, oldest first. */
  readonly history: readonly number[];
  /** Signs that the mesh put on record, by code. */
  readonly signs: ReadonlyMap<string, number>;
};

type Following = {
  score: number | null;
  at: number | null;
  reasons: readonly Reason[];
  history: number[];
  readonly signs: Map<string, number>;
};

/** From so far back the log is read when the first view is asked for. */
const behindMax = 500_000;
/** Entries between two turns of the event loop: what the bus does goes first. */
const stretch = 250;
/** One view waits for so many at most; the next one goes on from there. */
const perAsk = 25_000;
const historyKept = 96;
const agentsMax = 20_000;
const signCodesMax = 32;

/**
 * Reads the record on behind the mesh, once for all views that sum over it: scores by the observer's own
 * scorer, alignment, and the ledger. Begins when somebody looks and goes on when somebody looks again,
 * so that a mesh that nobody looks at pays nothing.
 */
export class FollowedRecord {
  readonly scorer: Scorer;
  readonly #contextSize: ContextSize;
  readonly #membersOf: MembersOf;
  readonly alignment = new AlignmentScores();
  readonly costs = new MeshCosts();
  readonly workflows = new WorkflowRuns();
  readonly #recorder: Pick<FlightRecorder, 'size' | 'read'>;
  readonly #agents = new Map<string, Following>();
  readonly #first: number;
  #next: number;
  #turn: Promise<void> | null = null;

  constructor(
    recorder: Pick<FlightRecorder, 'size' | 'read'>,
    roleOf: (agent: string) => string,
    contextSize: ContextSize = () => null,
    membersOf: MembersOf = () => () => true,
  ) {
    this.#membersOf = membersOf;
    this.#recorder = recorder;
    this.#contextSize = contextSize;
    this.scorer = new Scorer(roleOf);
    this.#first = Math.max(0, recorder.size() - behindMax);
    this.#next = this.#first;
  }

  /** What was read, for views to say so. */
  get read(): { readonly from: number; readonly next: number; readonly size: number } {
    return { from: this.#first, next: this.#next, size: this.#recorder.size() };
  }

  /** Goes on reading, with whoever asks at the same time. Rejects when the log cannot be read. */
  follow(nowMs: number): Promise<void> {
    this.#turn ??= this.#go(nowMs).finally(() => {
      this.#turn = null;
    });
    return this.#turn;
  }

  behaviours(): readonly Behaviour[] {
    return [...this.#agents].map(([agent, one]) => ({ agent, ...one }));
  }

  async #go(nowMs: number): Promise<void> {
    const end = Math.min(this.#recorder.size(), this.#next + perAsk);
    while (this.#next < end) {
      const to = Math.min(end, this.#next + stretch);
      for await (const entry of this.#recorder.read(this.#next, to)) this.#take(entry);
      this.#next = to;
      await letOthersRun();
    }
    if (this.#next < this.#recorder.size()) return;
    for (const score of this.scorer.advance(nowMs)) this.#scored(score);
  }

  #take(entry: RecordedEntry): void {
    this.alignment.add(entry);
    this.costs.add(entry);
    this.workflows.add(entry);
    const back = ledBack(entry);
    if (back !== null) this.scorer.stoodStill(this.#membersOf(back), entry.recordedAt);
    const observation = observationOf(entry, entry.recordedAt, this.#contextSize);
    if (observation !== null) for (const score of this.scorer.take(observation)) this.#scored(score);
    // A score stands by itself; what else the node raised, a slow drift above all, is a sign beside it.
    const isRaised = entry.kind === 'anomaly.raised' && entry.actor === 'node' && entry.code !== 'ANOMALY_SCORE';
    if (entry.kind === 'indicator.raised' || isRaised) this.#sign(entry);
  }

  #scored({ agent, at, score, reasons }: { agent: string; at: number; score: number; reasons: readonly Reason[] }): void {
    const one = this.#of(agent);
    if (one === null) return;
    one.score = score;
    one.at = at;
    one.reasons = reasons;
    one.history.push(score);
    if (one.history.length > historyKept) one.history.shift();
  }

  #sign({ actor, code, detail }: RecordedEntry): void {
    const named = detail['agent'];
    const agent = typeof named === 'string' ? named : actor.slice(actor.indexOf(':') + 1);
    const one = this.#of(agent);
    const name = code ?? String(detail['indicator'] ?? 'unknown');
    if (one === null || (!one.signs.has(name) && one.signs.size >= signCodesMax)) return;
    one.signs.set(name, (one.signs.get(name) ?? 0) + 1);
  }

  #of(agent: string): Following | null {
    const known = this.#agents.get(agent);
    if (known !== undefined) return known;
    if (this.#agents.size >= agentsMax) return null;
    const made: Following = { score: null, at: null, reasons: [], history: [], signs: new Map() };
    this.#agents.set(agent, made);
    return made;
  }
}
