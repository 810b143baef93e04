// SPDX-License-Identifier: Apache-2.0
import { textOfBytes } from './blobs.ts';
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { tokenCountMin } from './survey.ts';
import { Rewrite } from './view.ts';

const separatorLengthMax = 6;

/** So many numbers that are all text are no accident. */
const certainCount = 16;

const single = 1;
const hexPair = 2;
const decimal = 4;
const binary = 8;

type Token = { readonly start: number; readonly end: number };

/**
 * Reads lists of short tokens in place: bytes as `69 67 6e`, `0x69, 0x67`, `105 103 110` or
 * `01101001 01100111`, and characters set apart by spaces, as in `i g n o r e`. `parts` are start and
 * end, in turn, of where lists may be.
 */
export function joinTokenLists(text: string, parts: readonly number[], effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  for (let index = 0; index < parts.length; index += 2) {
    const from = parts[index] ?? 0;
    const until = parts[index + 1] ?? 0;
    if (!effort.take('decoding', stepsOf.listed * (until - from))) break;
    joinPart(text, from, until, rewrite, effort);
  }
  return rewrite;
}

function joinPart(text: string, from: number, until: number, rewrite: Rewrite, effort: Effort): void {
  let list: Token[] = [];
  let kinds = 0;
  let position = from;
  const close = (): void => {
    if (list.length >= tokenCountMin) addList(text, list, kinds, rewrite, effort);
    list = [];
    kinds = 0;
  };
  while (position < until) {
    if (isSeparator(text.charCodeAt(position))) {
      position += 1;
      continue;
    }
    const start = position;
    while (position < until && !isSeparator(text.charCodeAt(position))) position += 1;
    const own = kindsOf(text, start, position);
    const isNear = start - (list.at(-1)?.end ?? start) <= separatorLengthMax;
    if (list.length > 0 && (!isNear || (kinds & own) === 0)) close();
    if (own === 0) continue;
    kinds = list.length === 0 ? own : kinds & own;
    list.push({ start, end: position });
  }
  close();
}

function kindsOf(text: string, start: number, end: number): number {
  const length = end - start;
  if (length > 8) return 0;
  let kinds = length === 1 ? single : 0;
  const from = text.startsWith('0x', start) ? start + 2 : start;
  if (end - from === 2 && all(text, from, end, 16)) kinds |= hexPair;
  if (length <= 3 && all(text, start, end, 10)) kinds |= decimal;
  if (length === 8 && all(text, start, end, 2)) kinds |= binary;
  return kinds;
}

function all(text: string, start: number, end: number, base: number): boolean {
  for (let position = start; position < end; position += 1) {
    const code = text.charCodeAt(position);
    const isDigit = code >= 0x30 && code < 0x30 + Math.min(base, 10);
    const lower = code | 0x20;
    if (!isDigit && !(base === 16 && lower >= 0x61 && lower <= 0x66)) return false;
  }
  return true;
}

function addList(
  text: string,
  list: readonly Token[],
  kinds: number,
  rewrite: Rewrite,
  effort: Effort,
): void {
  const first = list[0];
  const last = list.at(-1);
  if (first === undefined || last === undefined) return;
  if (!effort.take('decoding', stepsOf.replacement + stepsOf.number * list.length)) return;
  const read = readList(text, list, kinds);
  if (read !== null) rewrite.add(first.start, last.end, read);
}

function readList(text: string, list: readonly Token[], kinds: number): string | null {
  if ((kinds & single) !== 0) return joinedCharacters(text, list);
  const bases = [(kinds & binary) !== 0 ? 2 : 0, (kinds & hexPair) !== 0 ? 16 : 0]
    .concat((kinds & decimal) !== 0 ? 10 : 0);
  for (const base of bases) {
    const read = base === 0 ? null : bytesOfList(text, list, base);
    if (read !== null) return read;
  }
  return null;
}

/** A wider gap than the one between characters is one between words. */
function joinedCharacters(text: string, list: readonly Token[]): string {
  let narrowest = separatorLengthMax;
  for (let index = 1; index < list.length; index += 1) {
    const gap = (list[index]?.start ?? 0) - (list[index - 1]?.end ?? 0);
    if (gap < narrowest) narrowest = gap;
  }
  let joined = '';
  let end = list[0]?.start ?? 0;
  for (const token of list) {
    if (joined !== '' && token.start - end > narrowest) joined += ' ';
    joined += text.slice(token.start, token.end);
    end = token.end;
  }
  return joined;
}

function bytesOfList(text: string, list: readonly Token[], base: number): string | null {
  const bytes = list.map(({ start, end }) => {
    const from = base === 16 && end - start > 2 ? start + 2 : start;
    return Number.parseInt(text.slice(from, end), base);
  });
  const read = bytes.every((byte) => byte > 8 && byte < 256) ? textOfBytes(bytes) : null;
  return read !== null && (bytes.length >= certainCount || hasWord(read)) ? read : null;
}

/** Three letters in a row: columns of small numbers hardly ever spell any. */
function hasWord(text: string): boolean {
  let letters = 0;
  for (let position = 0; position < text.length && letters < 3; position += 1) {
    const lower = text.charCodeAt(position) | 0x20;
    letters = lower >= 0x61 && lower <= 0x7a ? letters + 1 : 0;
  }
  return letters === 3;
}

function isSeparator(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x2c || code === 0x3b;
}
