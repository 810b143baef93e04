// SPDX-License-Identifier: Apache-2.0
import { digitAt } from './number-groups.ts';

/**
 * Words of a text that hold a digit, or nothing but letters that pass for digits. Written over by those
 * of the next text.
 */
export type NumberTokens = {
  readonly count: number;
  /** Start and end of each, in turn; longer than there are words. */
  readonly bounds: Int32Array;
  /** Digits of each; 0 for letters that pass for digits; longer than there are words. */
  readonly digits: Int32Array;
};

const letter = 1;
const digit = 2;
const digitLetter = 4;
const kinds = buildKinds();

const lookalikesLengthMax = 4;
const separatorsMax = 3;

const none: NumberTokens = { count: 0, bounds: new Int32Array(0), digits: new Int32Array(0) };
/** A token and what parts it from the next one are two characters at least, but for the last. */
const lengthKept = 1 << 16;
const scratchBounds = new Int32Array(lengthKept + 2);
const scratchDigits = new Int32Array(lengthKept / 2 + 1);

/**
 * One pass, from digit to digit; most texts hold few, and everything else about numbers looks only at
 * these. Words of nothing but letters that pass for digits count where they follow one with digits.
 */
export function numberTokens(text: string): NumberTokens {
  const { length } = text;
  const isKept = length <= lengthKept;
  const bounds = isKept ? scratchBounds : new Int32Array(length + 2);
  const digits = isKept ? scratchDigits : new Int32Array((length >> 1) + 1);
  let count = 0;
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
    let own = 0;
    for (let kind: number = digit; kind !== 0; kind = kindAt(text, position)) {
      own += kind & digit;
      position += 1;
    }
    bounds[2 * count] = start;
    bounds[2 * count + 1] = position;
    digits[count] = own >> 1;
    count += 1;
    // Short words of letters that pass for digits, a few separators apart.
    for (let end = lookalikeEnd(text, position); end > 0; end = lookalikeEnd(text, position)) {
      start = position;
      while (kindAt(text, start) === 0) start += 1;
      bounds[2 * count] = start;
      bounds[2 * count + 1] = end;
      digits[count] = 0;
      count += 1;
      position = end;
    }
    from = position;
  }
  return count === 0 ? none : { count, bounds, digits };
}

/** End of the next word where it is a short one of letters that pass for digits; else 0. */
function lookalikeEnd(text: string, from: number): number {
  let start = from;
  let kind = kindAt(text, start);
  while (kind === 0 && start - from <= separatorsMax && start < text.length) {
    start += 1;
    kind = kindAt(text, start);
  }
  if (kind !== digitLetter) return 0;
  let position = start;
  while (position - start <= lookalikesLengthMax && kindAt(text, position) === digitLetter) position += 1;
  return position - start <= lookalikesLengthMax && kindAt(text, position) === 0 ? position : 0;
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
