// SPDX-License-Identifier: Apache-2.0

/**
 * Numbers with nothing but separators between them: start and end of each in the text. The arrays
 * are used again for the next group.
 */
export type NumberGroup = {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  count: number;
  /** Digits of all of them, and of letters that pass for digits. */
  digits: number;
};

const separatorLengthMax = 3;
const tokenLengthMax = 40;
const groupTokensMax = 64;
/** No number of a person has fewer digits. */
const digitsMin = 7;

const digitLike: ReadonlyMap<string, string> = new Map([
  ['O', '0'], ['o', '0'], ['I', '1'], ['l', '1'], ['S', '5'], ['B', '8'],
]);

const other = 0;
const separator = 1;
const letter = 2;
const digit = 3;
const digitLetter = 4;
const comma = 5;
const kinds = buildKinds();

/** Calls back for each group that may hold a number of a person. One pass; linear in the text. */
export function eachNumberGroup(text: string, onGroup: (group: NumberGroup) => void): void {
  const group: NumberGroup = {
    starts: new Int32Array(groupTokensMax),
    ends: new Int32Array(groupTokensMax),
    count: 0,
    digits: 0,
  };
  let position = 0;
  let gap = 0;
  while (position < text.length) {
    const kind = kindAt(text, position);
    if (kind <= separator || kind === comma) {
      gap += 1;
      // A comma before a space ends an item of a list; within a number it may stand for a dot.
      const ends = kind === other || (kind === comma && kindAt(text, position + 1) !== digit);
      if (ends || gap > separatorLengthMax) close(group, onGroup);
      position += 1;
      continue;
    }
    gap = 0;
    const start = position;
    let real = 0;
    let isNumber = true;
    for (let unit = kind; unit >= letter && unit !== comma; unit = kindAt(text, position)) {
      if (unit === digit) real += 1;
      else if (unit === letter) isNumber = false;
      position += 1;
    }
    const length = position - start;
    const isWithin = group.count > 0 || text.charCodeAt(start - 1) === 0x2b;
    const fits = isNumber && length <= tokenLengthMax && (real > 0 || (isWithin && length <= 4));
    if (!fits || group.count === groupTokensMax) close(group, onGroup);
    if (!fits) continue;
    group.starts[group.count] = start;
    group.ends[group.count] = position;
    group.count += 1;
    group.digits += length;
  }
  close(group, onGroup);
}

function close(group: NumberGroup, onGroup: (group: NumberGroup) => void): void {
  if (group.digits >= digitsMin) onGroup(group);
  group.count = 0;
  group.digits = 0;
}

function kindAt(text: string, position: number): number {
  return kinds[text.charCodeAt(position)] ?? other;
}

/** Character -> the digit that it is or passes for; 255 for others. */
const digitValues = buildDigitValues();

/** With O, I, l, S and B read as what they pass for; null when another letter is in it. */
export function asDigits(written: string): string | null {
  let isPlain = true;
  for (let index = 0; index < written.length; index += 1) {
    const code = written.charCodeAt(index);
    if (code >= 0x30 && code <= 0x39) continue;
    if (digitAt(code) > 9) return null;
    isPlain = false;
  }
  if (isPlain) return written;
  return Array.from(written, (sign) => String(digitAt(sign.charCodeAt(0)))).join('');
}

/** The digit that a character is or passes for; more than 9 for others. */
export function digitAt(code: number): number {
  return code < 128 ? (digitValues[code] ?? 255) : 255;
}

function buildDigitValues(): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (let digit = 0; digit < 10; digit += 1) values[0x30 + digit] = digit;
  for (const [sign, value] of digitLike) values[sign.charCodeAt(0)] = Number(value);
  return values;
}

function buildKinds(): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (const sign of ' .-_/:*()+') table[sign.charCodeAt(0)] = separator;
  table[0x2c] = comma;
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = digit;
  for (let code = 0x41; code <= 0x5a; code += 1) {
    table[code] = letter;
    table[code + 0x20] = letter;
  }
  for (const sign of digitLike.keys()) table[sign.charCodeAt(0)] = digitLetter;
  return table;
}
