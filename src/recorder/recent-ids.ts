// SPDX-License-Identifier: Apache-2.0

/**
 * Remembers where the last `idsMax` ids were recorded, at least, and twice as many at most: two
 * generations, of which the older is forgotten whole. So memory is bounded and forgetting is free.
 */
export class RecentIds {
  readonly #idsMax: number;
  #younger = new Map<string, number>();
  #older = new Map<string, number>();

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  get(id: string): number | undefined {
    return this.#younger.get(id) ?? this.#older.get(id);
  }

  add(id: string, sequence: number): void {
    if (this.#younger.size >= this.#idsMax) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(id, sequence);
  }
}
