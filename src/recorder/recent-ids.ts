// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../message/clock.ts';
import { DigestTable } from '../message/digest-table.ts';

/**
 * Remembers where the last `idsMax` ids were recorded, at least, and twice as many at most: two
 * generations, of which the older is forgotten whole. So memory is bounded and forgetting is free.
 */
export class RecentIds {
  readonly #idsMax: number;
  #younger: DigestTable;
  #older: DigestTable;

  constructor(idsMax: number, random: Random) {
    this.#idsMax = idsMax;
    this.#younger = new DigestTable(idsMax, random, 'without notes');
    this.#older = new DigestTable(idsMax, random, 'without notes');
  }

  get(id: string): number | undefined {
    return this.#younger.get(id) ?? this.#older.get(id);
  }

  add(id: string, sequence: number): void {
    if (this.#younger.size >= this.#idsMax) {
      [this.#younger, this.#older] = [this.#older, this.#younger];
      this.#younger.clear();
    }
    this.#younger.set(id, sequence);
  }
}
