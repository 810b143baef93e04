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

const classes = buildClasses();

/** 0 beyond the end of a text. */
export function classOf(unit: number): number {
  return classes[unit] ?? characterClass.mark;
}

function buildClasses(): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (let unit = 0; unit < table.length; unit += 1) table[unit] = classify(unit);
  return table;
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
