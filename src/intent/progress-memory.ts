// SPDX-License-Identifier: Apache-2.0
import { markKey, marksMax, type Mark, type PlacedMark, type ProgressStore } from './progress.ts';

type Kept = PlacedMark & { readonly atMs: number };

/** For tests: what happened in each task, in memory. */
export class MemoryProgressStore implements ProgressStore {
  readonly #tasks = new Map<string, Map<string, Kept>>();
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

  async prune(beforeMs: number): Promise<void> {
    for (const [task, kept] of this.#tasks) {
      if ([...kept.values()].every(({ atMs }) => atMs < beforeMs)) this.#tasks.delete(task);
    }
  }
}
