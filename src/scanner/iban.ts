// SPDX-License-Identifier: Apache-2.0
import { asDigits } from './number-groups.ts';
import { countrySpecs, isValidIBAN } from 'ibantools';

/** Country, check digits, and as much of an account number as there is; bounded. */
const start = /[A-Za-z]{2}[ .-]?(?:[0-9][ .-]?[0-9OoIlSB]|[OoIlSB][ .-]?[0-9])/g;
const separatorsMax = 16;

const lengths: ReadonlyMap<string, number> = new Map(
  Object.entries(countrySpecs).flatMap(([country, { chars }]) =>
    chars === null || chars === undefined ? [] : [[country, chars] as const],
  ),
);

/** Finds IBANs (ISO 13616), with single spaces or dashes anywhere, by length and check digits. */
export function findIbans(text: string, onMatch: (start: number, end: number) => void): void {
  let from = 0;
  for (const match of text.matchAll(start)) {
    if (match.index < from || isWordUnit(text.charCodeAt(match.index - 1))) continue;
    const length = lengths.get(match[0].slice(0, 2).toUpperCase());
    if (length === undefined) continue;
    const read = readAccount(text, match.index, length);
    if (read === null || !isIban(read.number)) continue;
    onMatch(match.index, read.end);
    from = read.end;
  }
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
  if (isValidIBAN(number.toUpperCase())) return true;
  return [4, 8].some((bankEnd) => {
    const read = Array.from(number, (sign, index) =>
      index < 2 || (index >= 4 && index < bankEnd) ? sign : (asDigits(sign) ?? sign),
    ).join('');
    return read !== number && isValidIBAN(read.toUpperCase());
  });
}

function isWordUnit(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
