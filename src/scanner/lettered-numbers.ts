// SPDX-License-Identifier: Apache-2.0
import { stepsOf } from '../text/effort.ts';
import { letteredNumbers, repaired } from './identity-numbers.ts';
import type { NumberTokens } from './number-tokens.ts';
import type { PersonalMatch, PersonalWork } from './personal.ts';

const lengths = new Set(letteredNumbers.map(({ template }) => template.length));
const lengthMax = Math.max(...lengths);
const digitsMin = 5;
/** An Italian code has six letters, which may be set apart, before its first digit. */
const lettersBeforeMax = 12;

const none = 0;
const capital = 1;
const digit = 2;
/** Passes for a digit. */
const both = 3;
const small = 4;
const joint = 5;
const kinds = buildKinds();

/**
 * Finds numbers with letters in them: runs of capitals and digits, alone or joined over single
 * separators. Linear: around each word with a digit it looks at some forty characters.
 */
export function findLettered(
  text: string,
  { count, bounds, digits }: NumberTokens,
  work: PersonalWork,
  isNamed: (id: string, position: number) => boolean,
  onMatch: (match: PersonalMatch) => void,
): void {
  let from = 0;
  for (let index = 0; index < 2 * count; index += 2) {
    const last = bounds[index] ?? 0;
    const end = bounds[index + 1] ?? 0;
    const isNumber = digits[index >> 1] === end - last;
    if (isNumber && !isLetterNear(text, last, end)) continue;
    const first = beginning(text, last, from);
    for (let position = Math.max(first, from); position <= last; position += 1) {
      if (!isWordStart(text, position)) continue;
      from = Math.max(position + 1, numberAt(text, position, work, isNamed, onMatch));
    }
  }
}

/** A capital before or after a word of digits, with a separator between. */
function isLetterNear(text: string, start: number, end: number): boolean {
  const before = kinds[text.charCodeAt(start - 2)] ?? none;
  const after = kinds[text.charCodeAt(end + 1)] ?? none;
  return before === capital || before === both || after === capital || after === both;
}

/** How far back a number may have begun whose first digit stands in the word at `position`. */
function beginning(text: string, position: number, from: number): number {
  let start = position;
  while (start > from && position - start < lettersBeforeMax) {
    const kind = kinds[text.charCodeAt(start - 1)] ?? none;
    if (kind === none || kind === small) break;
    start -= 1;
  }
  return start;
}

function isWordStart(text: string, position: number): boolean {
  const kind = kinds[text.charCodeAt(position)] ?? none;
  if (kind === none || kind >= small) return false;
  const before = kinds[text.charCodeAt(position - 1)] ?? none;
  return before === none || before === joint;
}

/** Where to go on: after the number that begins here, or where this was left. */
function numberAt(
  text: string,
  start: number,
  work: PersonalWork,
  isNamed: (id: string, position: number) => boolean,
  onMatch: (match: PersonalMatch) => void,
): number {
  if (!work.take(stepsOf.window)) return text.length;
  let length = 0;
  let digits = 0;
  let letters = 0;
  for (let position = start; length <= lengthMax; position += 1) {
    const kind = kinds[text.charCodeAt(position)] ?? none;
    if (kind === small) return start;
    if (kind === capital || kind === digit || kind === both) {
      length += 1;
      if (kind !== capital) digits += 1;
      if (kind !== digit) letters += 1;
      continue;
    }
    if (letters > 0 && digits >= digitsMin && lengths.has(length)) {
      if (!work.take(2 * stepsOf.check)) return text.length;
      const number = text.slice(start, position).replaceAll(/[ .-]/g, '');
      if (isNumber(number, start, position, isNamed, onMatch)) return position;
    }
    const next = kinds[text.charCodeAt(position + 1)] ?? none;
    if (kind !== joint || next === none || next >= small) return start;
  }
  return start;
}

function isNumber(
  written: string,
  start: number,
  end: number,
  isNamed: (id: string, position: number) => boolean,
  onMatch: (match: PersonalMatch) => void,
): boolean {
  for (const kind of letteredNumbers) {
    if (kind.template.length !== written.length) continue;
    const number = repaired(written, kind.template);
    if (number === null || !kind.shape.test(number) || !kind.holds(number)) continue;
    if (kind.names.length > 0 && !isNamed(kind.id, start)) continue;
    onMatch({ rule: `personal/${kind.id}`, class: kind.class, start, end });
    return true;
  }
  return false;
}

function buildKinds(): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (let code = 0x41; code <= 0x5a; code += 1) {
    table[code] = capital;
    table[code + 0x20] = small;
  }
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = digit;
  for (const sign of 'OISBlo') table[sign.charCodeAt(0)] = both;
  for (const sign of ' .-') table[sign.charCodeAt(0)] = joint;
  return table;
}
