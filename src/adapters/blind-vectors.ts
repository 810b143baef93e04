// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Audience } from '../knowledge/access.ts';
import { vectorLength } from '../knowledge/blind.ts';

/** Vectors compared before other work has its turn: some 2 ms. */
const perTurn = 4_000;
const growth = 1_024;

type MaySee = (item: Audience) => boolean;

export type Near = { readonly id: string; readonly similarity: number };

/** The blind vectors of one shelf, side by side in memory, so that a query reads no row for each. */
export class BlindVectors {
  readonly #ids: string[] = [];
  /** Null: it was taken out. */
  readonly #audiences: (Audience | null)[] = [];
  readonly #places = new Map<string, number>();
  #members = new Float32Array(growth * vectorLength);

  /** One for each id; of another length it is near to nothing. */
  add(id: string, vector: Float32Array, audience: Audience): void {
    if (vector.length !== vectorLength) return;
    this.remove(id);
    const place = this.#ids.push(id) - 1;
    this.#places.set(id, place);
    this.#audiences.push(audience);
    if ((place + 1) * vectorLength > this.#members.length) {
      const wider = new Float32Array(this.#members.length * 2);
      wider.set(this.#members);
      this.#members = wider;
    }
    this.#members.set(vector, place * vectorLength);
  }

  /** Its place stays empty, so that a query that is under way neither misses another nor sees one twice. */
  remove(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#audiences[place] = null;
  }

  /** More places are empty than not: time to read them anew. */
  get isWorn(): boolean {
    return this.#ids.length > growth && this.#places.size * 2 < this.#ids.length;
  }

  /** Nearest first of those that `maySee` admits; equals in the order of their ids. Others have their turn in between. */
  async nearest(vector: Float32Array, limit: number, maySee: MaySee): Promise<readonly Near[]> {
    let near: Near[] = [];
    for (let first = 0; first < this.#ids.length; first += perTurn) {
      if (first > 0) await nextTurn();
      near = this.#best(near, vector, first, limit, maySee);
    }
    return near;
  }

  #best(
    before: readonly Near[],
    vector: Float32Array,
    first: number,
    limit: number,
    maySee: MaySee,
  ): Near[] {
    const members = this.#members;
    const near = [...before];
    let least = near.length < limit ? -2 : (near.at(-1)?.similarity ?? -2);
    const end = Math.min(first + perTurn, this.#ids.length);
    for (let place = first; place < end; place += 1) {
      const audience = this.#audiences[place];
      if (audience === undefined || audience === null || !maySee(audience)) continue;
      const from = place * vectorLength;
      let sum = 0;
      for (let at = 0; at < vectorLength; at += 1) sum += (members[from + at] ?? 0) * (vector[at] ?? 0);
      if (sum < least) continue;
      near.push({ id: this.#ids[place] ?? '', similarity: sum });
      if (near.length < 2 * limit + 64) continue;
      sortNearest(near, limit);
      least = near.at(-1)?.similarity ?? -2;
    }
    return sortNearest(near, limit);
  }
}

function sortNearest(near: Near[], limit: number): Near[] {
  near.sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1));
  near.splice(limit);
  return near;
}
