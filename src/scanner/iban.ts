// SPDX-License-Identifier: Apache-2.0
import { stepsOf } from '../text/effort.ts';
import { digitAt } from './number-groups.ts';
import type { NumberTokens } from './number-tokens.ts';
import type { PersonalWork } from './personal.ts';
import { countrySpecs, isValidIBAN } from 'ibantools';

const separatorsMax = 16;

/** By the two letters of the country; 0 where it has no accounts of this kind. */
const lengths = new Uint8Array(26 * 26);
for (const [country, { chars }] of Object.entries(countrySpecs)) {
  lengths[placeOf(country.charCodeAt(0), country.charCodeAt(1))] = chars ?? 0;
}

function placeOf(first: number, second: number): number {
  return ((first | 0x20) - 0x61) * 26 + (second | 0x20) - 0x61;
}

/** Finds IBANs (ISO 13616), with single spaces or dashes anywhere, by length and check digits. */
export function findIbans(
  text: string,
  { count, bounds }: NumberTokens,
  work: PersonalWork,
  onMatch: (start: number, end: number) => void,
): void {
  let from = 0;
  for (let index = 0; index < 2 * count; index += 2) {
    const start = countryBefore(text, bounds[index] ?? 0);
    if (start < from) continue;
    const length = lengths[placeOf(text.charCodeAt(start), text.charCodeAt(start + 1))] ?? 0;
    if (length === 0) continue;
    const read = readAccount(text, start, length);
    if (read === null) continue;
    if (!work.take(stepsOf.iban)) return;
    if (!isIban(read.number)) continue;
    onMatch(start, read.end);
    from = read.end;
  }
}

/** Start of the two letters of a country, in the word itself or set apart before it; else -1. */
function countryBefore(text: string, word: number): number {
  if (isCountryAt(text, word)) return word;
  return word >= 3 && isCountryAt(text, word - 3) && !isWordUnit(text.charCodeAt(word - 1)) ? word - 3 : -1;
}

/** Two letters that begin a word. */
function isCountryAt(text: string, start: number): boolean {
  if (!isLetter(text.charCodeAt(start)) || !isLetter(text.charCodeAt(start + 1))) return false;
  return start === 0 || !isWordUnit(text.charCodeAt(start - 1));
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function readAccount(
  text: string,
  from: number,
  length: number,
): { readonly number: string; readonly end: number } | null {
  let number = '';
  let separators = 0;
  let position = from;
  while (number.length < length) {
    const code = text.charCodeAt(position);
    if (isWordUnit(code)) {
      number += text.charAt(position);
    } else {
      separators += 1;
      const isSeparator = code === 0x20 || code === 0x2d || code === 0x2e || code === 0x0a;
      if (!isSeparator || separators > separatorsMax) return null;
    }
    position += 1;
  }
  if (isWordUnit(text.charCodeAt(position))) return null;
  return { number, end: position };
}

/** Also with letters that pass for digits: anywhere, or after a bank that is written in letters. */
function isIban(number: string): boolean {
  if (mayBeIban(number)) return true;
  return [4, 8].some((bankEnd) => {
    const rest = asDigitsFrom(number, bankEnd);
    return rest !== number && mayBeIban(rest);
  });
}

/** The check digits first: of what only looks like an account they refuse all but one in 97, and cost little. */
function mayBeIban(number: string): boolean {
  return remainderOf(number) === 1 && isValidIBAN(number.toUpperCase());
}

/** ISO 7064, MOD 97-10, with the first four signs behind the others. */
function remainderOf(number: string): number {
  let remainder = 0;
  for (let index = 0; index < number.length; index += 1) {
    const code = number.charCodeAt((index + 4) % number.length);
    remainder = code <= 0x39 ? (remainder * 10 + code - 0x30) % 97 : (remainder * 100 + (code | 0x20) - 0x57) % 97;
  }
  return remainder;
}

/** With what passes for a digit read as one, in the check digits and from `bankEnd` on. */
function asDigitsFrom(number: string, bankEnd: number): string {
  let read = number.slice(0, 2);
  for (let index = 2; index < number.length; index += 1) {
    const digit = index >= 4 && index < bankEnd ? 255 : digitAt(number.charCodeAt(index));
    read += digit > 9 ? number.charAt(index) : digit;
  }
  return read;
}

function isWordUnit(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
