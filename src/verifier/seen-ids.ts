// SPDX-License-Identifier: Apache-2.0

/**
 * Ids that were seen, each with a byte of marks. Rows lie in typed arrays: a hundred thousand ids take
 * three megabytes and leave nothing to collect. An id is known by 64 bits of a keyed hash, whose key is
 * drawn for each verification, so that whoever wrote the log cannot make one id pass for another.
 */
export class SeenIds {
  readonly #rowsMax: number;
  readonly #mask: number;
  /** Two words of hash for each slot; both zero where it is empty. */
  readonly #words: Int32Array;
  readonly #marks: Uint8Array;
  readonly #key: Int32Array;
  #rows = 0;

  /** Takes `rowsMax` ids, and is full then. The key is two words. */
  constructor(rowsMax: number, key: Int32Array) {
    this.#rowsMax = rowsMax;
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, rowsMax * 2)));
    this.#mask = slots - 1;
    this.#words = new Int32Array(slots * 2);
    this.#marks = new Uint8Array(slots);
    this.#key = key;
  }

  get isFull(): boolean {
    return this.#rows >= this.#rowsMax;
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  /** The slot of the id; -1 where it was not seen. */
  find(id: SeenId): number {
    const slot = this.#slotOf(id);
    return this.#isFree(slot) ? -1 : slot;
  }

  /** The slot of the id, which is there from now on. */
  add(id: SeenId): number {
    const slot = this.#slotOf(id);
    if (this.#isFree(slot)) {
      this.#words[slot * 2] = id.low;
      this.#words[slot * 2 + 1] = id.high;
      this.#rows += 1;
    }
    return slot;
  }

  marks(slot: number): number {
    return this.#marks[slot] ?? 0;
  }

  mark(slot: number, mark: number): void {
    this.#marks[slot] = this.marks(slot) | mark;
  }

  clear(): void {
    this.#words.fill(0);
    this.#marks.fill(0);
    this.#rows = 0;
  }

  /** What the tables of one verification find an id by. */
  idOf(text: string, into: SeenId): SeenId {
    keyedHash(text, this.#key[0] ?? 0, this.#key[1] ?? 0, into);
    return into;
  }

  #slotOf({ low, high }: SeenId): number {
    let slot = low & this.#mask;
    while (!this.#isFree(slot) && !(this.#words[slot * 2] === low && this.#words[slot * 2 + 1] === high)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #isFree(slot: number): boolean {
    return this.#words[slot * 2] === 0 && this.#words[slot * 2 + 1] === 0;
  }
}

/** Two words; written over and over, so that no object is made for each of ten million entries. */
export type SeenId = { low: number; high: number };

/** HalfSipHash with one round for each word, three at the end, and 64 bits of result. */
function keyedHash(text: string, key0: number, key1: number, into: SeenId): void {
  const state: State = [key0, key1 ^ 0xee, 0x6c796765 ^ key0, 0x74656462 ^ key1];
  const { length } = text;
  for (let at = 0; at + 4 <= length; at += 4) absorb(state, wordAt(text, at, 4));
  absorb(state, wordAt(text, length & ~3, length & 3) | (length << 24));
  state[2] ^= 0xee;
  for (let turn = 0; turn < 3; turn += 1) round(state);
  into.low = state[1] ^ state[3];
  state[1] ^= 0xdd;
  for (let turn = 0; turn < 3; turn += 1) round(state);
  // A slot of zeros is an empty one.
  into.high = (state[1] ^ state[3]) || 1;
}

type State = [number, number, number, number];

function absorb(state: State, word: number): void {
  state[3] ^= word;
  round(state);
  state[0] ^= word;
}

function wordAt(text: string, at: number, count: number): number {
  let word = 0;
  for (let byte = 0; byte < count; byte += 1) word |= text.charCodeAt(at + byte) << (byte * 8);
  return word;
}

function round(state: State): void {
  let [v0, v1, v2, v3] = state;
  v0 = (v0 + v1) | 0;
  v1 = turned(v1, 5) ^ v0;
  v0 = turned(v0, 16);
  v2 = (v2 + v3) | 0;
  v3 = turned(v3, 8) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = turned(v3, 7) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = turned(v1, 13) ^ v2;
  v2 = turned(v2, 16);
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}

function turned(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
