// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { leetWords, shortLeetWords } from './leet-words.ts';
import { Rewrite } from './view.ts';

/** The neighbourhood of what looks rotated: short words at its ends may look like anything. */
const rotationContext = 40;

/**
 * Turns ASCII letters by thirteen places, in the parts that read like rotated English: start and end
 * of each in turn. Code and other languages may be spread alike: a word of an order must be in it.
 */
export function unrotate(text: string, parts: readonly number[], effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  let done = 0;
  for (let index = 0; index < parts.length; index += 2) {
    const start = Math.max(done, (parts[index] ?? 0) - rotationContext);
    const end = Math.min(text.length, (parts[index + 1] ?? 0) + rotationContext);
    if (end <= start) continue;
    if (!effort.take('decoding', stepsOf.replacement + stepsOf.character * (end - start))) break;
    const read = rotated(text.slice(start, end));
    if (hasKnownWord(read)) rewrite.add(start, end, read);
    done = end;
  }
  return rewrite;
}

/** In plain letters or in leet. */
function hasKnownWord(text: string): boolean {
  for (let start = 0; start < text.length; start += 1) {
    if (unitAt(text, start) === 0) continue;
    const end = readWord(text, start);
    if (word.read !== null && word.read.length > shortLength) return true;
    start = end;
  }
  return false;
}

function rotated(text: string): string {
  const bytes = Buffer.from(text, 'utf16le');
  for (let index = 0; index < bytes.length; index += 2) {
    if (bytes[index + 1] === 0) bytes[index] = rotatedUnit(bytes[index] ?? 0);
  }
  return bytes.toString('utf16le');
}

export function rotatedUnit(code: number): number {
  const lower = code | 0x20;
  if (code > 0x7a || lower < 0x61 || lower > 0x7a) return code;
  return lower < 0x6e ? code + 13 : code - 13;
}

/** What each sign is written for; `1`, `|` and `!` stand for i or for l, which are one here. */
const leetForms = 'o0 l1il|! e3 a4@ s5$ t7+ b8 g96 z2';
const sign = 0x80;
/** Words of so many letters count only right beside another word of an order. */
const shortLength = 2;
const wordUnits = buildWordUnits();
const words = buildWords();

/**
 * Writes words with digits and signs for letters as the words they stand for: only words that an
 * order to a model is made of (`leetWords`), plain or under ROT13, so names of parts and files stay.
 * `places` are those of letters after a sign; the words beside theirs are read as well.
 */
export function unleet(text: string, places: Int32Array, effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  let done = 0;
  let readUntil = -1;
  /** The word before, where it is one only if this one is: `70` is a number, and `to` beside a word in leet. */
  let short: { readonly start: number; readonly end: number; readonly read: string } | null = null;
  for (const place of places) {
    if (place < done) continue;
    if (!effort.take('decoding', stepsOf.sign)) return rewrite;
    // Words of nothing but signs have no such place: `411` beside `pr3v10us`, `70` before it.
    let start = place + 1;
    for (let back = 0; back < 3; back += 1) start = wordStart(text, start - 1, done);
    for (let isLast = false; !isLast; ) {
      const end = readWord(text, start);
      isLast = start > place && !word.hasSign;
      const { read } = word;
      if (read !== null && word.hasSign) {
        const isLong = read.length > shortLength;
        if (!effort.take('decoding', stepsOf.replacement)) return rewrite;
        if (isLong && short !== null && short.end === start - 1) rewrite.add(short.start, short.end, short.read);
        short = null;
        if (isLong || start - 1 === readUntil) {
          rewrite.add(start, end, read);
          readUntil = end;
        } else {
          short = { start, end, read };
        }
      }
      done = end;
      start = end + 1;
      isLast ||= start > place && unitAt(text, start) === 0;
    }
  }
  return rewrite;
}

function wordStart(text: string, place: number, from: number): number {
  let start = Math.max(place, from);
  while (start > from && unitAt(text, start - 1) !== 0) start -= 1;
  return start;
}

/** What was read last. */
const word: { read: string | null; hasSign: boolean } = { read: null, hasSign: false };

/** Reads the word that begins here; gives its end. */
function readWord(text: string, start: number): number {
  let hash = 0;
  /** Of the word without its last character: a sign after the word is a sign, `system!`. */
  let shorter = 0;
  let kinds = 0;
  let end = start;
  for (let unit = unitAt(text, end); unit !== 0; unit = unitAt(text, end)) {
    shorter = hash;
    hash = (Math.imul(hash, 31) + (unit & 0x7f)) | 0;
    kinds |= unit;
    end += 1;
  }
  word.hasSign = kinds >= sign;
  word.read = wordOf(hash, end - start) ?? (end - start > shortLength + 1 ? wordOf(shorter, end - start - 1) : null);
  return end;
}

/** Reading beyond the end gives NaN, which makes a whole loop slow. */
function unitAt(text: string, position: number): number {
  return position < text.length ? (wordUnits[text.charCodeAt(position)] ?? 0) : 0;
}

/** Chance words of equal hash and length are too rare to matter: what is read is scanned, not obeyed. */
function wordOf(hash: number, length: number): string | null {
  const word = words.get(hash) ?? null;
  return word !== null && word.length === length ? word : null;
}

/** Letter or sign -> the letter that stands for all that may be meant; a sign has the bit `sign`. */
function buildWordUnits(): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (let code = 0x61; code <= 0x7a; code += 1) {
    table[code] = code;
    table[code - 0x20] = code;
  }
  for (const [letter = '', ...others] of leetForms.split(' ')) {
    for (const other of others) {
      const isLetter = /[a-z]/.test(other);
      const forms = isLetter ? [other, other.toUpperCase()] : [other];
      for (const form of forms) {
        table[form.charCodeAt(0)] = letter.charCodeAt(0) | (isLetter ? 0 : sign);
      }
    }
  }
  return table;
}

/** Hash of the canonical form -> word: plain, under ROT13, and plain where ROT13 came after leet. */
function buildWords(): ReadonlyMap<number, string> {
  const table = new Map<number, string>();
  const words = [...leetWords];
  // Leet writes these letters as digits, which ROT13 leaves as they are.
  for (const word of words) table.set(hashOf(word.replace(/[^aeilost]/g, rotated)), word);
  for (const word of words) table.set(hashOf(rotated(word)), rotated(word));
  for (const word of [...words, ...shortLeetWords]) table.set(hashOf(word), word);
  return table;
}

function hashOf(word: string): number {
  let hash = 0;
  for (const letter of word) {
    hash = (Math.imul(hash, 31) + ((wordUnits[letter.charCodeAt(0)] ?? 0) & 0x7f)) | 0;
  }
  return hash;
}
