// SPDX-License-Identifier: Apache-2.0
import type { Span } from '../text/view.ts';

/** Words of one fingerprint. */
const shingleWords = 7;
/** So many words in a row with the prompt, less two, are chance or a commonplace. */
const runMin = 4;
const shinglesMax = 20_000;
const wordsScannedMax = 20_000;
const knownMask = 0x3fff;
/** A token of so many letters and digits that holds both: nothing else in the world reads like it. */
const canaryLengthMin = 16;

/**
 * Fingerprints of an agent's own instructions (PG-1.2): hashes of seven words in a row, and tokens
 * that can only come from there (canaries). The instructions themselves are not kept.
 */
export class PromptFingerprint {
  private readonly shingles = new Set<number>();
  private readonly canaries = new Set<number>();
  /** One byte for each value of the low bits of a shingle: most are in no prompt. */
  private readonly known = new Uint8Array(knownMask + 1);

  constructor(prompt: string) {
    const words = new Words(prompt);
    while (words.next()) {
      if (words.isCanary) this.canaries.add(words.hash);
      if (words.count < shingleWords || this.shingles.size >= shinglesMax) continue;
      this.shingles.add(words.shingle);
      this.known[words.shingle & knownMask] = 1;
    }
  }

  /** Where the text repeats the prompt; null when it does not. The first place only. */
  find(text: string): Span | null {
    if (text.length < canaryLengthMin) return null;
    const words = new Words(text);
    let run = 0;
    let runStart = 0;
    while (words.next()) {
      if (words.isCanary && this.canaries.has(words.hash)) return { start: words.start, end: words.end };
      if (words.count < shingleWords) continue;
      const isKnown = this.known[words.shingle & knownMask] === 1 && this.shingles.has(words.shingle);
      if (isKnown && run === 0) runStart = words.shingleStart;
      run = isKnown ? run + 1 : 0;
      if (run >= runMin) return { start: runStart, end: words.end };
    }
    return null;
  }
}

/** The last words; used again for the next text, since arrays of this kind are dear to make. */
const hashes = new Int32Array(shingleWords);
const starts = new Int32Array(shingleWords);
const base = 0x01000193;
/** What the oldest word of a shingle is multiplied by when it goes. */
const oldest = power(base, shingleWords);

/** Words of a text one after another: letters and digits only, whatever their case. */
class Words {
  /** Of the present word. */
  hash = 0;
  isCanary = false;
  start = 0;
  end = 0;
  /** Words so far, the present one included. */
  count = 0;
  /** Of the present word and the six before it. */
  shingle = 0;
  private readonly text: string;
  private position = 0;

  constructor(text: string) {
    this.text = text;
    hashes.fill(0);
  }

  get shingleStart(): number {
    return starts[this.count % shingleWords] ?? 0;
  }

  /** False behind the last word, or behind as many as are looked at. */
  next(): boolean {
    const { text } = this;
    const { length } = text;
    let { position } = this;
    while (position < length && (wordUnits[text.charCodeAt(position)] ?? 0) === 0) position += 1;
    if (position === length || this.count === wordsScannedMax) return false;
    const start = position;
    let hash = 0;
    let digits = 0;
    for (; position < length; position += 1) {
      const unit = wordUnits[text.charCodeAt(position)] ?? 0;
      if (unit === 0) break;
      if (unit <= 0x39) digits += 1;
      hash = (Math.imul(hash, 31) + unit) | 0;
    }
    this.position = position;
    this.take(hash, start, position);
    this.isCanary = digits > 0 && position - start >= canaryLengthMin && digits < position - start;
    return true;
  }

  private take(hash: number, start: number, end: number): void {
    const place = this.count % shingleWords;
    const gone = Math.imul(hashes[place] ?? 0, oldest);
    this.shingle = (Math.imul(this.shingle, base) + hash - gone) | 0;
    hashes[place] = hash;
    starts[place] = start;
    this.count += 1;
    this.hash = hash;
    this.start = start;
    this.end = end;
  }
}

function power(number: number, exponent: number): number {
  let result = 1;
  for (let time = 0; time < exponent; time += 1) result = Math.imul(result, number);
  return result;
}

/** Lower case of what words are made of; 0 for what separates them. */
const wordUnits = buildWordUnits();

function buildWordUnits(): Uint16Array {
  const table = new Uint16Array(0x10000);
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = code;
  for (let code = 0x61; code <= 0x7a; code += 1) {
    table[code] = code;
    table[code - 0x20] = code;
  }
  for (let code = 0x80; code < 0x10000; code += 1) table[code] = code;
  return table;
}
