// SPDX-License-Identifier: Apache-2.0
import type { NumberTokens } from './number-tokens.ts';

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

const separators = new Uint8Array(0x10000);
for (const sign of ' .-_/:*()+') separators[sign.charCodeAt(0)] = 1;

/** Used again for the next group and text: arrays of this kind are dear to make. */
const group: NumberGroup = {
  starts: new Int32Array(groupTokensMax),
  ends: new Int32Array(groupTokensMax),
  count: 0,
  digits: 0,
};

/** Calls back for each group that may hold a number of a person; a group is valid in its call only. */
export function eachNumberGroup(
  text: string,
  { count, bounds, digits }: NumberTokens,
  onGroup: (group: NumberGroup) => void,
): void {
  group.count = 0;
  group.digits = 0;
  for (let index = 0; index < count; index += 1) {
    const start = bounds[2 * index] ?? 0;
    const end = bounds[2 * index + 1] ?? 0;
    const length = end - start;
    if (group.count > 0 && !isJoined(text, group.ends[group.count - 1] ?? 0, start)) close(onGroup);
    const isWithin = group.count > 0 || text.charCodeAt(start - 1) === 0x2b;
    const isNumber = length <= tokenLengthMax && isAllDigits(text, start, end, digits[index] ?? 0);
    const fits = isNumber && ((digits[index] ?? 0) > 0 || isWithin);
    if (!fits || group.count === groupTokensMax) close(onGroup);
    if (!fits) continue;
    group.starts[group.count] = start;
    group.ends[group.count] = end;
    group.count += 1;
    group.digits += length;
  }
  close(onGroup);
}

/** Nothing but a few separators between two tokens. */
function isJoined(text: string, from: number, to: number): boolean {
  if (to - from > separatorLengthMax) return false;
  for (let position = from; position < to; position += 1) {
    const code = text.charCodeAt(position);
    // A comma before a space ends an item of a list; within a number it may stand for a dot.
    if (code === 0x2c ? position + 1 < to : separators[code] !== 1) return false;
  }
  return true;
}

function isAllDigits(text: string, start: number, end: number, digits: number): boolean {
  if (digits === end - start) return true;
  for (let position = start; position < end; position += 1) {
    if (digitAt(text.charCodeAt(position)) > 9) return false;
  }
  return true;
}

function close(onGroup: (group: NumberGroup) => void): void {
  if (group.digits >= digitsMin) onGroup(group);
  group.count = 0;
  group.digits = 0;
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
  let read = '';
  for (let index = 0; index < written.length; index += 1) {
    read += digits[digitAt(written.charCodeAt(index))] ?? '';
  }
  return read;
}

const digits = '0123456789';

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
