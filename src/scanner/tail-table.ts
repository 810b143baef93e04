// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Place } from './structure.ts';

/** The end of what went before in one place of one stream of messages. */
export type Tail = { readonly text: string; readonly numbers: readonly string[] };

/** Two secret words: who does not know them cannot choose streams or texts that meet. */
export type TableSeed = readonly [number, number];

/** A mark on its way: what was read so far. */
export type MarkState = readonly [number, number];

/** One message with more texts would push out its own. */
export const placesKept = 2048;
/** Characters of a text, and of its numbers with a space between each two. */
export const tailTextMax = 160;
const numbersLengthMax = 128;
const textBytes = tailTextMax * 2;
const rowBytes = textBytes + numbersLengthMax;
const nothing = 0;

/**
 * The tails of the streams that spoke last, in memory of a fixed width (1 MiB) outside the heap: strings
 * that live for some seconds and then die would be copied by each collection, and every message leaves
 * some. Streams are known by a keyed mark of 53 bits. Beyond 2048 the one that was quiet longest is
 * forgotten.
 */
export class TailTable {
  readonly #seed: TableSeed;
  /** Row of each stream; the one that was written longest ago comes first. */
  readonly #rowOf = new Map<number, number>();
  readonly #bytes = Buffer.alloc(placesKept * rowBytes);
  readonly #textLengths = new Uint8Array(placesKept);
  readonly #numbersLengths = new Uint8Array(placesKept);
  readonly #cleanMarks = new Float64Array(placesKept);

  constructor(seed: TableSeed) {
    this.#seed = seed;
  }

  /** By what the other methods know the stream. */
  markOf(stream: string): number {
    return mark(stream, this.#seed);
  }

  /** By what they know the places of the stream. */
  placesOf(stream: string): PlaceMarks {
    return new PlaceMarks(readOn(this.#seed, stream));
  }

  get(stream: number): Tail | null {
    const row = this.#rowOf.get(stream);
    if (row === undefined) return null;
    const start = row * rowBytes;
    const text = this.#bytes.toString('utf16le', start, start + (this.#textLengths[row] ?? 0) * 2);
    const from = start + textBytes;
    const numbers = this.#bytes.toString('latin1', from, from + (this.#numbersLengths[row] ?? 0));
    return { text, numbers: numbers === '' ? [] : numbers.split(' ') };
  }

  /** At most 160 characters of text, and numbers of 128 ASCII characters together. What was clean stays so. */
  set(stream: number, { text, numbers }: Tail): void {
    const known = this.#rowOf.get(stream);
    const row = known ?? this.#freeRow();
    if (known === undefined) this.#cleanMarks[row] = nothing;
    this.#rowOf.delete(stream);
    this.#rowOf.set(stream, row);
    const start = row * rowBytes;
    this.#textLengths[row] = this.#bytes.write(text, start, textBytes, 'utf16le') / 2;
    const joined = numbers.join(' ');
    this.#numbersLengths[row] = this.#bytes.write(joined, start + textBytes, numbersLengthMax, 'latin1');
  }

  /** Whether nothing was found in this text when it was the last that was joined in the stream. */
  wasClean(stream: number, joined: string): boolean {
    const row = this.#rowOf.get(stream);
    return row !== undefined && this.#cleanMarks[row] === mark(joined, this.#seed);
  }

  isClean(stream: number, joined: string): void {
    const row = this.#rowOf.get(stream);
    if (row !== undefined) this.#cleanMarks[row] = mark(joined, this.#seed);
  }

  #freeRow(): number {
    if (this.#rowOf.size < placesKept) return this.#rowOf.size;
    for (const [stream, row] of this.#rowOf) {
      this.#rowOf.delete(stream);
      return row;
    }
    return 0;
  }
}

/**
 * The marks of the places of one stream. Each name of a member is read once, however many texts stand below
 * it: an attacker chooses both.
 */
export class PlaceMarks {
  readonly #states = new Map<Place | null, MarkState>();

  constructor(stream: MarkState) {
    this.#states.set(null, stream);
  }

  of(place: Place | null): number {
    // Only what others stand in is kept.
    return markFrom(place === null ? this.#stateOf(null) : readOn(this.#stateOf(place.parent), place.segment, nextPlace));
  }

  #stateOf(place: Place | null): MarkState {
    const known = this.#states.get(place);
    if (known !== undefined || place === null) return known ?? [0, 0];
    const state = readOn(this.#stateOf(place.parent), place.segment, nextPlace);
    this.#states.set(place, state);
    return state;
  }
}

/** Before each name: no unit of a text. */
const nextPlace = 0x1_0000;

function mark(text: string, seed: TableSeed): number {
  return markFrom(readOn(seed, text));
}

/** Two multiplicative hashes, each begun with a secret word. */
function readOn([one, two]: MarkState, text: string, first: number | null = null): MarkState {
  let [low, high] = [one, two];
  for (let at = first === null ? 0 : -1; at < text.length; at += 1) {
    const code = at < 0 ? (first ?? 0) : text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x85_eb_ca_6b);
    low ^= low >>> 15;
    high = Math.imul(high ^ code, 0xc2_b2_ae_35);
    high ^= high >>> 13;
  }
  return [low, high];
}

/** Never 0: that is no mark. */
function markFrom([low, high]: MarkState): number {
  return (high >>> 11) * 2 ** 32 + (low >>> 0) + 1;
}
