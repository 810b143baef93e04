// SPDX-License-Identifier: Apache-2.0
import type { Span } from '../text/view.ts';

/** Words of one fingerprint. */
const shingleWords = 7;
/** So many words in a row with the prompt, less two, are chance or a commonplace. */
const runMin = 4;
const shinglesMax = 20_000;
const wordsScannedMax = 20_000;
/** A token of so many letters and digits that holds both: nothing else in the world reads like it. */
const canaryLengthMin = 16;

/**
 * Fingerprints of an agent's own instructions (PG-1.2): hashes of seven words in a row, and tokens
 * that can only come from there (canaries). The instructions themselves are not kept.
 */
export class PromptFingerprint {
  private readonly shingles = new Set<number>();
  private readonly canaries = new Set<number>();

  constructor(prompt: string) {
    eachWord(prompt, ({ word, shingle, isCanary }) => {
      if (isCanary) this.canaries.add(word);
      if (shingle !== null && this.shingles.size < shinglesMax) this.shingles.add(shingle);
      return false;
    });
  }

  /** Where the text repeats the prompt; null when it does not. The first place only. */
  find(text: string): Span | null {
    let run = 0;
    let runStart = 0;
    let found: Span | null = null;
    eachWord(text, ({ word, shingle, isCanary, wordStart, shingleStart, end }) => {
      if (isCanary && this.canaries.has(word)) {
        found = { start: wordStart, end };
        return true;
      }
      const isKnown = shingle !== null && this.shingles.has(shingle);
      if (isKnown && run === 0) runStart = shingleStart;
      run = isKnown ? run + 1 : 0;
      if (run >= runMin) found = { start: runStart, end };
      return run >= runMin;
    });
    return found;
  }
}

type Word = {
  word: number;
  isCanary: boolean;
  wordStart: number;
  /** Hash of this word and the six before it; null where there are not as many. */
  shingle: number | null;
  shingleStart: number;
  end: number;
};

/** Calls back for each word, letters and digits only, whatever their case, until it says true. */
function eachWord(text: string, onWord: (word: Readonly<Word>) => boolean): void {
  const hashes = new Int32Array(shingleWords);
  const starts = new Int32Array(shingleWords);
  const word: Word = { word: 0, isCanary: false, wordStart: 0, shingle: null, shingleStart: 0, end: 0 };
  let hash = 0;
  let start = -1;
  let digits = 0;
  let count = 0;
  for (let position = 0; position <= text.length && count < wordsScannedMax; position += 1) {
    const unit = wordUnits[text.charCodeAt(position)] ?? 0;
    if (unit > 0) {
      if (start < 0) start = position;
      if (unit <= 0x39) digits += 1;
      hash = (Math.imul(hash, 31) + unit) | 0;
      continue;
    }
    if (start < 0) continue;
    hashes[count % shingleWords] = hash;
    starts[count % shingleWords] = start;
    count += 1;
    const length = position - start;
    word.word = hash;
    word.isCanary = length >= canaryLengthMin && digits > 0 && digits < length;
    word.wordStart = start;
    word.end = position;
    word.shingle = count < shingleWords ? null : shingleOf(hashes, count);
    word.shingleStart = starts[count % shingleWords] ?? 0;
    hash = 0;
    start = -1;
    digits = 0;
    if (onWord(word)) return;
  }
}

function shingleOf(hashes: Int32Array, next: number): number {
  let shingle = 0;
  for (let index = 0; index < shingleWords; index += 1) {
    shingle = (Math.imul(shingle, 0x01000193) ^ (hashes[(next + index) % shingleWords] ?? 0)) | 0;
  }
  return shingle;
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
