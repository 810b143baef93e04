// SPDX-License-Identifier: Apache-2.0

/** What a UTF-16 unit is to the model; scripts without spaces are read letter by letter. */
export const characterClass = {
  mark: 0,
  letter: 1,
  digit: 2,
  space: 3,
  line: 4,
  ideograph: 5,
  invisible: 6,
} as const;

/** Blocks written without spaces: Thai, kana, Han; and surrogates. */
const ideographBlocks: readonly (readonly [number, number])[] = [
  [0x0e00, 0x0e7f],
  [0x3040, 0x30ff],
  [0x3400, 0x9fff],
  [0xd800, 0xdfff],
  [0xf900, 0xfaff],
];

const unread = 255;
/** Each unit is read at its first use: all of them took every process of a mesh 20 ms of its start. */
const classes = new Uint8Array(0x10000).fill(unread);

/** 0 beyond the end of a text. */
export function classOf(unit: number): number {
  const known = classes[unit];
  if (known === undefined) return characterClass.mark;
  return known === unread ? (classes[unit] = classify(unit)) : known;
}

function classify(unit: number): number {
  const character = String.fromCharCode(unit);
  if (unit === 0x0a || unit === 0x0d) return characterClass.line;
  if (/[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/.test(character)) return characterClass.invisible;
  if (/\s/.test(character)) return characterClass.space;
  for (const [first, last] of ideographBlocks) {
    if (unit >= first && unit <= last) return characterClass.ideograph;
  }
  if (/[\p{L}\p{M}]/u.test(character)) return characterClass.letter;
  return /\p{Nd}/u.test(character) ? characterClass.digit : characterClass.mark;
}
