// SPDX-License-Identifier: Apache-2.0
import { ControlSums, microsOf, tokensOf, type ControlCost } from './control-sums.ts';
import type { RecordedEntry } from './entry.ts';
import { answerSchema, JudgeRange, type NaiveCost } from './task-ledger.ts';

/** What the mesh spent on reviewing, over a stretch of the record; units as in `TaskLedger`. */
export type MeshCost = {
  readonly hops: number;
  readonly answers: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly controls: readonly ControlCost[];
  readonly controlsUs: number;
  readonly judge: { readonly calls: number; readonly tookUs: number; readonly tokens: number; readonly micros: number };
  readonly people: { readonly held: number; readonly decided: number };
  readonly tools: { readonly calls: number; readonly tookUs: number };
  /** The same hops with a judge on each. */
  readonly naive: NaiveCost;
  /** Newest first: the tasks that moved last. */
  readonly tasks: readonly string[];
};

const tasksKept = 20;

/** The ledger of the whole mesh, entry by entry in the order of the log, by the rules of a task's. */
export class MeshCosts {
  readonly #controls = new ControlSums();
  readonly #range = new JudgeRange();
  readonly #tasks = new Set<string>();
  readonly #judge = { calls: 0, tookUs: 0, tokens: 0, micros: 0 };
  readonly #people = { held: 0, decided: 0 };
  readonly #tools = { calls: 0, tookUs: 0 };
  #hops = 0;
  #answers = 0;
  #firstAt = 0;
  #lastAt = 0;

  add(entry: RecordedEntry): void {
    if (this.#firstAt === 0) this.#firstAt = entry.recordedAt;
    this.#lastAt = entry.recordedAt;
    this.#controls.add(entry);
    switch (entry.kind) {
      case 'message.admitted':
        if (entry.detail['schema'] === answerSchema) this.#answers += 1;
        else this.#hops += 1;
        this.#moved(entry.task);
        break;
      case 'judge.called':
        this.#range.add(entry);
        this.#judge.calls += 1;
        this.#judge.tookUs += entry.tookUs ?? 0;
        this.#judge.tokens += tokensOf(entry);
        this.#judge.micros += microsOf(entry);
        break;
      case 'tool.outcome':
        this.#tools.calls += 1;
        this.#tools.tookUs += entry.tookUs ?? 0;
        break;
      case 'approval.held':
        this.#people.held += 1;
        break;
      case 'approval.decided':
        this.#people.decided += 1;
        break;
      default:
    }
  }

  cost(): MeshCost {
    const controls = this.#controls.rows();
    return {
      hops: this.#hops,
      answers: this.#answers,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      controls,
      controlsUs: controls.reduce((sum, { tookUs }) => sum + tookUs, 0),
      judge: { ...this.#judge },
      people: { ...this.#people },
      tools: { ...this.#tools },
      naive: this.#range.onEvery(this.#hops),
      tasks: [...this.#tasks].toReversed(),
    };
  }

  #moved(task: string | null): void {
    if (task === null) return;
    this.#tasks.delete(task);
    this.#tasks.add(task);
    const [oldest] = this.#tasks;
    if (this.#tasks.size > tasksKept && oldest !== undefined) this.#tasks.delete(oldest);
  }
}
