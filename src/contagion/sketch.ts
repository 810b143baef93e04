// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import type { Span } from './spans.ts';

/** Positions of a sketch; the share on which two agree estimates how alike their spans are. */
export const sketchLength = 24;
/** Neighbouring positions that must all agree for two sketches to be compared at all. */
export const bandLength = 2;

/** What is kept of a span: enough to know it again, nothing to read it from. */
export type Sketch = Uint32Array;

/**
 * Min-wise hashes of a span's words (Broder 1997) under a secret of this node: whoever writes the
 * span cannot steer which others it resembles, and nobody reads a word out of what is kept (G9).
 */
export class Sketcher {
  readonly #seeds: Uint32Array;
  readonly #words = new Map<string, number>();
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
    this.#seeds = new Uint32Array(sketchLength);
    for (let at = 0; at < sketchLength; at += 1) this.#seeds[at] = this.#keyed(`seed ${at}`) | 1;
  }

  of({ words }: Pick<Span, 'words'>): Sketch {
    const sketch = new Uint32Array(sketchLength).fill(0xffffffff);
    for (const word of words) {
      const hash = this.#hashOf(word);
      for (let at = 0; at < sketchLength; at += 1) {
        const mixed = mix(Math.imul(hash, this.#seeds[at] ?? 1) ^ (this.#seeds[at] ?? 1));
        if (mixed < (sketch[at] ?? 0)) sketch[at] = mixed;
      }
    }
    return sketch;
  }

  /** By which a text is known again that nobody is to read. */
  markOf(text: string): number {
    return this.#keyed(text);
  }

  /** The keyed hash of a word, of which the latest are remembered: texts repeat their words. */
  #hashOf(word: string): number {
    const known = this.#words.get(word);
    if (known !== undefined) return known;
    if (this.#words.size >= 16_384) this.#words.clear();
    const hash = this.#keyed(word);
    this.#words.set(word, hash);
    return hash;
  }

  #keyed(text: string): number {
    return createHmac('sha256', this.#key).update(text).digest().readUInt32BE(0);
  }
}

/** 0 to 1: the estimated share of words that both spans have, of those that either has. */
export function likeness(a: Sketch, b: Sketch): number {
  let same = 0;
  for (let at = 0; at < sketchLength; at += 1) if (a[at] === b[at]) same += 1;
  return same / sketchLength;
}

/** Two sketches that share none of these are not alike enough to look at. */
export function bandsOf(sketch: Sketch): readonly number[] {
  const bands: number[] = [];
  for (let at = 0; at < sketchLength; at += bandLength) {
    const pair = (sketch[at] ?? 0) ^ Math.imul(sketch[at + 1] ?? 0, 0x9e3779b1);
    bands.push(at * 2 ** 32 + (pair >>> 0));
  }
  return bands;
}

/** Finaliser of MurmurHash3 (public domain): spreads every bit over all of them. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
