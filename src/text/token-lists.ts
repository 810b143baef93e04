// SPDX-License-Identifier: Apache-2.0
import { textOfBytes } from './blobs.ts';
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { rotatedUnit } from './letters.ts';
import { tokenCountMin } from './survey.ts';
import { Rewrite } from './view.ts';

const separatorLengthMax = 6;

/** So many numbers that are all text are no accident. */
const certainCount = 16;

const single = 1;
const hexPair = 2;
const decimal = 4;
const binary = 8;
/** Two digits of hex whose letters ROT13 has turned. */
const turnedPair = 16;
const allPairs = hexPair | decimal | binary | turnedPair;
/** Of a character: it stands between tokens, or about one. */
const separator = 32;
const enclosing = 64;
const units = unitsTable();

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
    if (isBetween(text, position)) {
      position += 1;
      continue;
    }
    const start = position;
    let own = allPairs;
    while (position < until && !isBetween(text, position)) {
      own &= kindsOfUnit(text.charCodeAt(position));
      position += 1;
    }
    own = kindsOf(text, start, position, own);
    const isNear = start - (list.at(-1)?.end ?? start) <= separatorLengthMax;
    if (list.length > 0 && (!isNear || (kinds & own) === 0)) close();
    if (own === 0) continue;
    kinds = list.length === 0 ? own : kinds & own;
    list.push({ start, end: position });
  }
  close();
}

/** What a token may be, given what each of its characters may be part of. */
function kindsOf(text: string, start: number, end: number, own: number): number {
  const length = end - start;
  if (length === 2) return own & (hexPair | turnedPair | decimal);
  if (length === 1) return single | (own & decimal);
  if (length === 3) return own & decimal;
  if (length === 8) return own & binary;
  return length === 4 && text.startsWith('0x', start) ? kindsOfPair(text, start + 2) : 0;
}

function kindsOfPair(text: string, start: number): number {
  const own = kindsOfUnit(text.charCodeAt(start)) & kindsOfUnit(text.charCodeAt(start + 1));
  return own & (hexPair | turnedPair);
}

function kindsOfUnit(code: number): number {
  return code < 0x80 ? (units[code] ?? 0) : 0;
}

function asItIs(code: number): number {
  return code;
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
  // Without a letter in it both kinds of pairs are one.
  const own = (kinds & hexPair) === 0 ? kinds : kinds & ~turnedPair;
  for (const [kind, base, unitOf] of readings) {
    const read = (own & kind) === 0 ? null : bytesOfList(text, list, base, unitOf);
    if (read !== null) return read;
  }
  return null;
}

const readings = [
  [binary, 2, asItIs], [hexPair, 16, asItIs], [turnedPair, 16, rotatedUnit], [decimal, 10, asItIs],
] as const;

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

function bytesOfList(
  text: string,
  list: readonly Token[],
  base: number,
  unitOf: typeof asItIs,
): string | null {
  const bytes = list.map(({ start, end }) => {
    const from = base === 16 && end - start > 2 ? start + 2 : start;
    let value = 0;
    for (let position = from; position < end; position += 1) {
      const unit = unitOf(text.charCodeAt(position));
      value = value * base + (unit < 0x3a ? unit - 0x30 : (unit | 0x20) - 0x57);
    }
    return value;
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

/** Spaces and commas, and the quotation marks and brackets about a token; alone those are tokens themselves. */
function isBetween(text: string, position: number): boolean {
  const unit = kindsOfUnit(text.charCodeAt(position));
  if ((unit & (separator | enclosing)) === 0) return false;
  return (unit & separator) !== 0 || !(isEdge(text, position - 1) && isEdge(text, position + 1));
}

function isEdge(text: string, position: number): boolean {
  if (position < 0 || position >= text.length) return true;
  return (kindsOfUnit(text.charCodeAt(position)) & separator) !== 0;
}

function unitsTable(): Uint8Array {
  const table = new Uint8Array(0x80);
  const mark = (signs: string, kinds: number): void => {
    for (const sign of signs) table[sign.charCodeAt(0)] = (table[sign.charCodeAt(0)] ?? 0) | kinds;
  };
  mark('01', binary);
  mark('0123456789', hexPair | turnedPair | decimal);
  mark('abcdefABCDEF', hexPair);
  mark('nopqrsNOPQRS', turnedPair);
  mark(' \t\n\v\f\r,;', separator);
  mark('"\'()[]{}', enclosing);
  return table;
}
