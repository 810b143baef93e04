// SPDX-License-Identifier: Apache-2.0
import { digitAt } from './number-groups.ts';

/** Words of a text that hold a digit, or nothing but letters that pass for digits. */
export type NumberTokens = {
  /** Start and end of each, in turn. */
  readonly bounds: readonly number[];
  /** Digits of each; 0 for letters that pass for digits. */
  readonly digits: readonly number[];
};

const letter = 1;
const digit = 2;
const digitLetter = 4;
const kinds = buildKinds();

const lookalikesLengthMax = 4;
const separatorsMax = 3;

/**
 * One pass, from digit to digit; most texts hold few, and everything else about numbers looks only at
 * these. Words of nothing but letters that pass for digits count where they follow one with digits.
 */
export function numberTokens(text: string): NumberTokens {
  const { length } = text;
  const bounds: number[] = [];
  const counts: number[] = [];
  let position = 0;
  let from = 0;
  while (position < length) {
    const code = text.charCodeAt(position);
    if (code < 0x30 || code > 0x39) {
      position += 1;
      continue;
    }
    let start = position;
    while (start > from && kindAt(text, start - 1) !== 0) start -= 1;
    let digits = 0;
    for (let kind: number = digit; kind !== 0; kind = kindAt(text, position)) {
      if (kind === digit) digits += 1;
      position += 1;
    }
    bounds.push(start, position);
    counts.push(digits);
    position = lookalikesAfter(text, position, bounds, counts);
    from = position;
  }
  return { bounds, digits: counts };
}

/** Adds short words of letters that pass for digits; gives where the first other word may begin. */
function lookalikesAfter(text: string, from: number, bounds: number[], counts: number[]): number {
  let end = from;
  while (true) {
    let start = end;
    while (start - end <= separatorsMax && start < text.length && kindAt(text, start) === 0) start += 1;
    let position = start;
    while (position - start <= lookalikesLengthMax && kindAt(text, position) === digitLetter) position += 1;
    const isWord = position > start && position - start <= lookalikesLengthMax && kindAt(text, position) === 0;
    if (!isWord) return end;
    bounds.push(start, position);
    counts.push(0);
    end = position;
  }
}

/** Reading beyond the end gives NaN, which makes a whole loop slow. */
function kindAt(text: string, position: number): number {
  return position < text.length ? (kinds[text.charCodeAt(position)] ?? 0) : 0;
}

function buildKinds(): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = digit;
  for (let code = 0x41; code <= 0x5a; code += 1) {
    table[code] = digitAt(code) > 9 ? letter : digitLetter;
    table[code + 0x20] = digitAt(code + 0x20) > 9 ? letter : digitLetter;
  }
  return table;
}
