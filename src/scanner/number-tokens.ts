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

/** One pass; most texts hold few numbers, and everything else about numbers looks only at these. */
export function numberTokens(text: string): NumberTokens {
  const bounds: number[] = [];
  const counts: number[] = [];
  let start = -1;
  let seen = 0;
  let digits = 0;
  for (let position = 0; position <= text.length; position += 1) {
    // Reading beyond the end gives NaN, which makes the whole loop slow.
    const kind = position < text.length ? (kinds[text.charCodeAt(position)] ?? 0) : 0;
    if (kind !== 0) {
      if (start < 0) start = position;
      seen |= kind;
      digits += kind & digit;
      continue;
    }
    if (start < 0) continue;
    if ((seen & digit) !== 0 || (seen === digitLetter && position - start <= 4)) {
      bounds.push(start, position);
      counts.push(digits >> 1);
    }
    start = -1;
    seen = 0;
    digits = 0;
  }
  return { bounds, digits: counts };
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
