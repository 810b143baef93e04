// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { DecodeBudget } from './budget.ts';
import { leetWords } from './leet-words.ts';
import { Rewrite } from './view.ts';
import type { Span } from './view.ts';

/** The neighbourhood of what looks rotated: some letters pass before it is noticed. */
const rotationContext = 120;

/** Turns ASCII letters by thirteen places, in the part that reads like rotated English. */
export function unrotate(text: string, part: Span, budget: DecodeBudget): Rewrite {
  const rewrite = new Rewrite(text);
  const start = Math.max(0, part.start - rotationContext);
  const end = Math.min(text.length, part.end + rotationContext);
  const letters = text.slice(start, end);
  if (budget.takeReplacement()) rewrite.add(start, end, rotated(letters));
  return rewrite;
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
const canonical = buildCanonical();
const words = buildWords();
const wordLengthMax = 20;
/**
 * Writes words with digits and signs for letters as the words they stand for: only words that an
 * order to a model is made of (`leetWords`), plain or under ROT13, so names of parts and files stay.
 */
export function unleet(text: string, budget: DecodeBudget): Rewrite {
  const rewrite = new Rewrite(text);
  let position = 0;
  while (position < text.length) {
    if (!isWordUnit(text.charCodeAt(position))) {
      position += 1;
      continue;
    }
    const start = position;
    let signs = 0;
    while (position < text.length && isWordUnit(text.charCodeAt(position))) {
      if (!isLetter(text.charCodeAt(position))) signs += 1;
      position += 1;
    }
    const length = position - start;
    if (signs === 0 || length < 2 || length > wordLengthMax) continue;
    const word = wordAt(text, start, position);
    if (word === null) continue;
    if (!budget.takeReplacement()) break;
    rewrite.add(start, position, word);
  }
  return rewrite;
}

function wordAt(text: string, start: number, end: number): string | null {
  let form = '';
  for (let position = start; position < end; position += 1) {
    form += String.fromCharCode(canonical[text.charCodeAt(position)] ?? 0);
  }
  // A sign after the word is a sign: `system!`.
  return words.get(form) ?? words.get(form.slice(0, -1)) ?? null;
}

/** ASCII letter or sign -> the letter that stands for all that may be meant. */
function buildCanonical(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0x61; code <= 0x7a; code += 1) {
    table[code] = code;
    table[code - 0x20] = code;
  }
  for (const [letter = '', ...signs] of leetForms.split(' ')) {
    for (const sign of signs) {
      for (const form of [sign, sign.toUpperCase()]) table[form.charCodeAt(0)] = letter.charCodeAt(0);
    }
  }
  return table;
}

/** Canonical form -> word, plain and under ROT13. */
function buildWords(): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  for (const word of [...leetWords].flatMap((plain) => [rotated(plain), plain])) {
    const codes = Array.from(word, (letter) => canonical[letter.charCodeAt(0)] ?? 0);
    table.set(String.fromCharCode(...codes), word);
  }
  return table;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isWordUnit(code: number): boolean {
  if (isLetter(code) || (code >= 0x30 && code <= 0x39)) return true;
  return code === 0x40 || code === 0x24 || code === 0x21 || code === 0x7c || code === 0x2b;
}
