// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Random } from './clock.ts';

const wordsPerKey = 4;
const wordsPerNote = 8;
/** Above this share of used slots the table doubles. */
const loadMax = 0.6;
/** Values are times and counts: zero and above. A slot that holds this is empty. */
const empty = -1;

/**
 * A number, and where asked for a 256-bit note, under a text. Rows lie in typed arrays of a fixed
 * width, so that a hundred thousand of them cost a few megabytes from the start, and not tens of
 * them by and by. A key is the first 128 bits of SHA-256 over a secret and the text: whoever
 * chooses the texts can neither make two of them one nor crowd one part of the table.
 */
export class DigestTable {
  readonly #secret: string;
  readonly #hasNotes: boolean;
  #slots: number;
  #used = 0;
  #keys: Uint32Array;
  #notes: Uint32Array;
  #values: Float64Array;

  /** `rows` have room before the table doubles for the first time. */
  constructor(rows: number, random: Random, notes: 'with notes' | 'without notes') {
    this.#secret = Buffer.from(random.bytes(16)).toString('base64');
    this.#hasNotes = notes === 'with notes';
    this.#slots = 2 ** Math.ceil(Math.log2(Math.max(2, rows / loadMax)));
    this.#keys = new Uint32Array(this.#slots * wordsPerKey);
    this.#notes = new Uint32Array(this.#hasNotes ? this.#slots * wordsPerNote : 0);
    this.#values = new Float64Array(this.#slots).fill(empty);
  }

  get size(): number {
    return this.#used;
  }

  has(text: string): boolean {
    return this.get(text) !== undefined;
  }

  get(text: string): number | undefined {
    const slot = this.#find(this.#keyOf(text));
    const value = this.#values[slot] ?? empty;
    return value === empty ? undefined : value;
  }

  /** The 32 bytes kept with the text, or null where there are none. */
  noteOf(text: string): Uint8Array | null {
    const slot = this.#find(this.#keyOf(text));
    if (!this.#hasNotes || (this.#values[slot] ?? empty) === empty) return null;
    const words = this.#notes.slice(slot * wordsPerNote, (slot + 1) * wordsPerNote);
    return new Uint8Array(words.buffer);
  }

  /** Sets the value, zero or above, and the note, 32 bytes; throws `RangeError` for others. */
  set(text: string, value: number, note: Uint8Array | null = null): void {
    if (!(value >= 0)) throw new RangeError('A value of a digest table is zero or above.');
    if (this.#hasNotes !== (note?.length === wordsPerNote * 4)) {
      throw new RangeError('A note of a digest table has 32 bytes.');
    }
    if (this.#used + 1 > this.#slots * loadMax) this.#grow();
    const key = this.#keyOf(text);
    const slot = this.#find(key);
    if (this.#values[slot] === empty) this.#used += 1;
    this.#keys.set(key, slot * wordsPerKey);
    this.#values[slot] = value;
    if (note !== null) this.#notes.set(wordsOf(note), slot * wordsPerNote);
  }

  delete(text: string): void {
    const slot = this.#find(this.#keyOf(text));
    if (this.#values[slot] === empty) return;
    this.#used -= 1;
    this.#close(slot);
  }

  /**
   * Forgets rows whose value is below `bound`; looks at each slot once. A large table is gone through
   * in `parts` calls, with other work between them: a row that moves meanwhile may stay until the
   * next round.
   */
  deleteBelow(bound: number, part = 0, parts = 1): void {
    const end = Math.ceil((this.#slots * (part + 1)) / parts);
    for (let slot = Math.floor((this.#slots * part) / parts); slot < end; slot += 1) {
      while (isBelow(this.#values[slot] ?? empty, bound)) {
        this.#used -= 1;
        this.#close(slot);
      }
    }
  }

  clear(): void {
    this.#values.fill(empty);
    this.#used = 0;
  }

  #keyOf(text: string): Uint32Array {
    // As a text of one character per byte: the cheapest form that the engine gives out.
    const digest = hash('sha256', this.#secret + text, 'binary');
    const key = new Uint32Array(wordsPerKey);
    for (let word = 0; word < wordsPerKey; word += 1) {
      const at = word * 4;
      key[word] =
        digest.charCodeAt(at) |
        (digest.charCodeAt(at + 1) << 8) |
        (digest.charCodeAt(at + 2) << 16) |
        (digest.charCodeAt(at + 3) << 24);
    }
    return key;
  }

  /** The slot of a key, or the empty one where it belongs. */
  #find(key: Uint32Array): number {
    let slot = this.#home(key, 0);
    while (this.#values[slot] !== empty && !this.#isAt(slot, key)) slot = this.#after(slot);
    return slot;
  }

  #isAt(slot: number, key: Uint32Array): boolean {
    const start = slot * wordsPerKey;
    return (
      this.#keys[start] === key[0] &&
      this.#keys[start + 1] === key[1] &&
      this.#keys[start + 2] === key[2] &&
      this.#keys[start + 3] === key[3]
    );
  }

  #home(keys: Uint32Array, start: number): number {
    return (keys[start] ?? 0) & (this.#slots - 1);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#slots - 1);
  }

  /** Empties a slot and moves up what was only behind it because it was taken. */
  #close(freed: number): void {
    let hole = freed;
    for (let slot = this.#after(hole); this.#values[slot] !== empty; slot = this.#after(slot)) {
      const home = this.#home(this.#keys, slot * wordsPerKey);
      const away = (slot - home) & (this.#slots - 1);
      const gap = (slot - hole) & (this.#slots - 1);
      if (away < gap) continue;
      this.#keys.copyWithin(hole * wordsPerKey, slot * wordsPerKey, (slot + 1) * wordsPerKey);
      this.#values[hole] = this.#values[slot] ?? empty;
      if (this.#hasNotes) {
        this.#notes.copyWithin(hole * wordsPerNote, slot * wordsPerNote, (slot + 1) * wordsPerNote);
      }
      hole = slot;
    }
    this.#values[hole] = empty;
  }

  #grow(): void {
    const [keys, notes, values] = [this.#keys, this.#notes, this.#values];
    this.#slots *= 2;
    this.#keys = new Uint32Array(this.#slots * wordsPerKey);
    this.#notes = new Uint32Array(this.#hasNotes ? this.#slots * wordsPerNote : 0);
    this.#values = new Float64Array(this.#slots).fill(empty);
    values.forEach((value, from) => {
      if (value === empty) return;
      const key = keys.subarray(from * wordsPerKey, (from + 1) * wordsPerKey);
      const slot = this.#find(key);
      this.#keys.set(key, slot * wordsPerKey);
      const note = notes.subarray(from * wordsPerNote, (from + 1) * wordsPerNote);
      if (this.#hasNotes) this.#notes.set(note, slot * wordsPerNote);
      this.#values[slot] = value;
    });
  }
}

function isBelow(value: number, bound: number): boolean {
  return value !== empty && value < bound;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  // Copied: a `Buffer` is a window into memory that it shares.
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
