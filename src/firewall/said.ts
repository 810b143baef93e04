// SPDX-License-Identifier: Apache-2.0
import { rotatedUnit } from '../text/letters.ts';
import { readText } from '../text/read-text.ts';

/** A word has so many letters, more between digits, and a vowel. */
const lettersMin = 3;
const lettersBetweenDigitsMin = 4;
/** No more consonants, or vowels, stand in a row in one. */
const inRowMax = 3;
/** So many letters without a digit or another case are words, however they are run together. */
const lettersByChanceMax = 12;
/** Letters in words of an id: a verb, a noun, what they are about. More are an order with other signs for spaces. */
const lettersSaidMax = 14;

const segments = /[A-Za-z0-9]+/g;
const wordAndNumber = /^[A-Za-z]+[0-9]*$/;
/** Letters, and beside them no digits but those that are written for letters. */
const leetSegment = /^(?=.*[A-Za-z])[A-Za-z0134578]+$/;
const leetLetters: ReadonlyMap<string, string> = new Map([
  ['0', 'o'], ['1', 'i'], ['3', 'e'], ['4', 'a'], ['5', 's'], ['7', 't'], ['8', 'b'],
]);
/** Capitals alone, or small letters with at most one capital before them. */
const stretches = /[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]/g;
const vowels: ReadonlySet<number> = new Set(Array.from('aeiouyAEIOUY', (letter) => letter.charCodeAt(0)));

/**
 * What a token without spaces can say to who reads it: of an id its few words, in order; any other
 * token as it is. Programs make up keys, hashes and ids by chance, and what chance writes can hardly be
 * pronounced. The attacker chooses the token: words with digits for letters, under ROT13, or in an encoding
 * are words. Linear in the token, which its caller bounds.
 */
export function saidBy(token: string): string {
  const parts: readonly string[] = token.match(segments) ?? [];
  const readings = [parts, parts.map(rotated), parts.map(unleeted)];
  const isSaid = spelledIn(parts) > lettersSaidMax || readings.some((reading) => lettersIn(reading) > lettersSaidMax);
  if (isSaid || readText(token).views.length > 1) return token;
  return parts.flatMap(wordsOf).join(' ');
}

/**
 * Letters of parts that hold no digit but at their end, whatever their case and however short: an order in
 * changing case, or cut into syllables, holds no words, and what chance wrote has digits between its letters.
 */
function spelledIn(parts: readonly string[]): number {
  return parts.filter((part) => wordAndNumber.test(part))
    .reduce((letters, part) => letters + part.replace(/[0-9]+$/, '').length, 0);
}

function lettersIn(parts: readonly string[]): number {
  return parts.flatMap(wordsOf).reduce((letters, word) => letters + word.length, 0);
}

function wordsOf(part: string): readonly string[] {
  const fewest = wordAndNumber.test(part) ? lettersMin : lettersBetweenDigitsMin;
  const found: readonly string[] = part.match(stretches) ?? [];
  return found.filter((stretch) => stretch.length >= fewest && isWord(stretch));
}

function isWord(stretch: string): boolean {
  if (stretch.length > lettersByChanceMax) return true;
  let inRow = 0;
  let before: boolean | null = null;
  let hasVowel = false;
  for (let position = 0; position < stretch.length; position += 1) {
    const isVowel = vowels.has(stretch.charCodeAt(position));
    hasVowel ||= isVowel;
    inRow = isVowel === before ? inRow + 1 : 1;
    before = isVowel;
    if (inRow > inRowMax) return false;
  }
  return hasVowel;
}

function unleeted(part: string): string {
  return leetSegment.test(part) ? part.replaceAll(/[0-9]/g, (digit) => leetLetters.get(digit) ?? digit) : part;
}

function rotated(part: string): string {
  return String.fromCharCode(...Array.from(part, (sign) => rotatedUnit(sign.charCodeAt(0))));
}
