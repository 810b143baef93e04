// SPDX-License-Identifier: Apache-2.0

/** Words of one fingerprint. */
const shingleWords = 7;
/** So many words in a row with the prompt, less two, are chance or a commonplace. */
const runMin = 4;
const shinglesMax = 20_000;
const wordsScannedMax = 20_000;
/** A long token of letters and digits: nothing else in the world reads like it. */
const canary = /[A-Za-z0-9_-]{16,128}/g;

/**
 * Fingerprints of an agent's own instructions (PG-1.2): hashes of seven words in a row, and tokens
 * that can only come from there (canaries). The instructions themselves are not kept.
 */
export class PromptFingerprint {
  private readonly shingles = new Set<number>();
  private readonly canaries = new Set<string>();

  constructor(prompt: string) {
    for (const [token] of prompt.matchAll(canary)) {
      if (/[0-9]/.test(token) && /[A-Za-z]/.test(token)) this.canaries.add(token.toLowerCase());
    }
    eachShingle(prompt, (hash) => {
      if (this.shingles.size < shinglesMax) this.shingles.add(hash);
      return false;
    });
  }

  /** Where the text repeats the prompt; null when it does not. The first place only. */
  find(text: string): { readonly start: number; readonly end: number } | null {
    for (const match of text.matchAll(canary)) {
      if (!this.canaries.has(match[0].toLowerCase())) continue;
      return { start: match.index, end: match.index + match[0].length };
    }
    let run = 0;
    let runStart = 0;
    let found: { readonly start: number; readonly end: number } | null = null;
    eachShingle(text, (hash, start, end) => {
      const isKnown = this.shingles.has(hash);
      if (isKnown && run === 0) runStart = start;
      run = isKnown ? run + 1 : 0;
      if (run >= runMin) found = { start: runStart, end };
      return run >= runMin;
    });
    return found;
  }
}

type OnShingle = (hash: number, start: number, end: number) => boolean;

/** Calls back for each seven words in a row, letters and digits only, whatever their case. */
function eachShingle(text: string, onShingle: OnShingle): void {
  const hashes: number[] = [];
  const starts: number[] = [];
  let hash = 0;
  let start = -1;
  let count = 0;
  for (let position = 0; position <= text.length && count < wordsScannedMax; position += 1) {
    const unit = wordUnit(text.charCodeAt(position));
    if (unit > 0) {
      if (start < 0) start = position;
      hash = (Math.imul(hash, 31) + unit) | 0;
      continue;
    }
    if (start < 0) continue;
    hashes.push(hash);
    starts.push(start);
    count += 1;
    hash = 0;
    start = -1;
    if (hashes.length < shingleWords) continue;
    let shingle = 0;
    for (const word of hashes) shingle = (Math.imul(shingle, 0x01000193) ^ word) | 0;
    if (onShingle(shingle, starts[0] ?? 0, position)) return;
    hashes.shift();
    starts.shift();
  }
}

/** 0 for what separates words; NaN, after the text, does too. */
function wordUnit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code;
  if (code >= 0x80) return code;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? lower : 0;
}
