// SPDX-License-Identifier: Apache-2.0
import { stepsMax, type Step } from './steps.ts';
import {
  judgedIn, markKey, marksMax, type JudgedChange, type JudgedMark, type JudgedPhase, type Mark, type PlacedMark,
  type ProgressStore,
} from './progress.ts';

type KeptStep = { readonly step: Step; readonly atMs: number };
type Kept = PlacedMark & { readonly atMs: number };

/** For tests: what happened in each task, in memory. */
export class MemoryProgressStore implements ProgressStore {
  readonly #tasks = new Map<string, Map<string, Kept>>();
  readonly #steps = new Map<string, Map<string, KeptStep>>();
  readonly #cut = new Set<string>();
  #place = 0;

  of(task: string): readonly PlacedMark[] {
    const marks = [...(this.#tasks.get(task)?.values() ?? [])];
    return marks.map(({ mark, place }) => ({ mark, place })).sort((a, b) => a.place - b.place);
  }

  async add(task: string, marks: readonly Mark[], nowMs: number): Promise<void> {
    const kept = this.#tasks.get(task) ?? new Map<string, Kept>();
    if (kept.size + marks.length > marksMax) throw new Error('The task has too many marks.');
    this.#tasks.set(task, kept);
    for (const mark of marks) {
      this.#place += 1;
      kept.set(markKey(mark), { mark, place: this.#place, atMs: nowMs });
    }
  }

  async judge(task: string, of: JudgedPhase, change: JudgedChange, nowMs: number): Promise<JudgedMark | null> {
    const before = judgedIn(this.of(task), of);
    const after = change(before);
    if (after !== null) await this.add(task, [after], nowMs);
    return after ?? before;
  }

  steps(task: string): { readonly steps: readonly Step[]; readonly isWhole: boolean } {
    const kept = [...(this.#steps.get(task)?.values() ?? [])];
    return { steps: kept.map(({ step }) => step), isWhole: !this.#cut.has(task) };
  }

  async note(task: string, message: string, step: Step, nowMs: number): Promise<void> {
    const kept = this.#steps.get(task) ?? new Map<string, KeptStep>();
    this.#steps.set(task, kept);
    kept.set(message, { step, atMs: nowMs });
    const [oldest] = kept.size > stepsMax ? kept.keys() : [];
    if (oldest === undefined) return;
    kept.delete(oldest);
    this.#cut.add(task);
  }

  async prune(beforeMs: number): Promise<void> {
    for (const [task, kept] of this.#tasks) {
      if ([...kept.values()].every(({ atMs }) => atMs < beforeMs)) this.#tasks.delete(task);
    }
    for (const [task, kept] of this.#steps) {
      if ([...kept.values()].every(({ atMs }) => atMs < beforeMs)) this.#steps.delete(task);
    }
  }
}
