// SPDX-License-Identifier: Apache-2.0
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { leetWords } from './leet-words.ts';
import type { Step } from './view.ts';
import { Rewrite } from './view.ts';

/** What is written in digits of hex. */
export const inHexDigits: ReadonlySet<Step> = new Set(['escapes', 'hex', 'number-list']);

/** Leet writes the digit `e` as `3` and `a` as `4`: `6e` for n becomes `63` for c, `6a` d, `7a` t. */
const misread: { readonly [letter: string]: string } = { n: 'c', j: 'd', z: 't' };
const words: ReadonlyMap<string, string> = new Map(
  [...leetWords]
    .map((word) => [word.replace(/[njz]/g, (letter) => misread[letter] ?? letter), word] as const)
    .filter(([written]) => !leetWords.has(written)),
);
const wordLengthMin = 3;
const wordLengthMax = Math.max(...[...leetWords].map(({ length }) => length));

/** One word may be one by accident: `cow` is no `now`. */
const wordsMin = 2;

type Word = { readonly start: number; readonly end: number; readonly read: string };

/**
 * Words of orders as they were before leet was written over the digits of hex that they came in:
 * `igcore` is ignore. `seams` are start and end, in turn, of what was decoded; null for all of the text.
 */
export function undoLeetDigits(text: string, seams: readonly number[] | null, effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  const found: Word[] = [];
  const parts = seams ?? [0, text.length];
  for (let index = 0; index < parts.length; index += 2) {
    const start = parts[index] ?? 0;
    // Each escape is a part of its own; a word is many of them.
    while ((parts[index + 2] ?? Number.POSITIVE_INFINITY) <= (parts[index + 1] ?? 0)) index += 2;
    const end = parts[index + 1] ?? 0;
    if (!effort.take('decoding', stepsOf.character * (end - start))) break;
    findWords(text, start, end, found);
  }
  if (found.length < wordsMin) return rewrite;
  for (const { start, end, read } of found) {
    if (!effort.take('decoding', stepsOf.replacement)) break;
    rewrite.add(start, end, read);
  }
  return rewrite;
}

function findWords(text: string, from: number, until: number, found: Word[]): void {
  let start = from;
  let isSuspect = false;
  for (let position = from; position <= until; position += 1) {
    const lower = position < until ? text.charCodeAt(position) | 0x20 : 0;
    if (lower >= 0x61 && lower <= 0x7a) {
      isSuspect ||= lower === 0x63 || lower === 0x64 || lower === 0x74;
      continue;
    }
    const length = position - start;
    if (isSuspect && length >= wordLengthMin && length <= wordLengthMax) {
      const read = words.get(text.slice(start, position).toLowerCase());
      if (read !== undefined) found.push({ start, end: position, read });
    }
    start = position + 1;
    isSuspect = false;
  }
}
