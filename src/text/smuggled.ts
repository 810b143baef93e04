// SPDX-License-Identifier: Apache-2.0
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { textOfBytes } from './blobs.ts';
import { Rewrite } from './view.ts';

const selectorsMin = 4;

/**
 * Writes out what invisible characters spell, in place: Unicode tags spell ASCII, variation
 * selectors spell bytes (VS1-16 are 0 to 15, VS17-256 are 16 to 255), and runs of two zero-width
 * characters spell bits.
 */
export function spellSmuggled(text: string, effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  let position = 0;
  while (position < text.length) {
    if (spelling[text.charCodeAt(position)] !== 1) {
      position += 1;
      continue;
    }
    const end = runEnd(text, position);
    if (end - position >= runLengthMin) {
      if (!effort.take('decoding', stepsOf.replacement + stepsOf.invisible * (end - position))) break;
      position = spellRun(text, position, end, rewrite);
    } else {
      position = end;
    }
  }
  return rewrite;
}

/** Fewer units spell nothing; emoji and some scripts have one or two. */
const runLengthMin = 2;

function runEnd(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && spelling[text.charCodeAt(end)] === 1) end += 1;
  return end;
}

/** Units of one run may be of several kinds, one after the other. */
function spellRun(text: string, from: number, until: number, rewrite: Rewrite): number {
  let position = from;
  while (position < until) {
    const run = tagRun(text, position) ?? selectorRun(text, position) ?? zeroWidthRun(text, position);
    if (run !== null && run.text !== '') rewrite.add(position, run.end, run.text);
    position = run?.end ?? position + 1;
  }
  return position;
}

type Run = { readonly end: number; readonly text: string };

function tagRun(text: string, start: number): Run | null {
  let spelled = '';
  let position = start;
  while (text.charCodeAt(position) === 0xdb40) {
    const point = text.codePointAt(position) ?? 0;
    if (point < 0xe0001 || point > 0xe007f) break;
    if (point >= 0xe0020 && point < 0xe007f) spelled += String.fromCharCode(point - 0xe0000);
    position += 2;
  }
  return position === start ? null : { end: position, text: spelled };
}

function selectorRun(text: string, start: number): Run | null {
  const bytes: number[] = [];
  let position = start;
  while (position < text.length) {
    const point = text.codePointAt(position) ?? 0;
    if (point >= 0xfe00 && point <= 0xfe0f) bytes.push(point - 0xfe00);
    else if (point >= 0xe0100 && point <= 0xe01ef) bytes.push(point - 0xe0100 + 16);
    else break;
    position += point > 0xffff ? 2 : 1;
  }
  if (position === start) return null;
  return { end: position, text: bytes.length < selectorsMin ? '' : (textOfBytes(bytes) ?? '') };
}

const zeroWidth: ReadonlySet<number> = new Set([0x200b, 0x200c, 0x200d, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xfeff]);

/** 1 for units that tags, variation selectors and invisible signs are written with. */
const spelling = buildSpelling();

function buildSpelling(): Uint8Array {
  const table = new Uint8Array(0x10000);
  table.fill(1, 0xfe00, 0xfe10);
  // U+E0000 to U+E0FFF: the first halves of their pairs, and all second halves.
  table.fill(1, 0xdb40, 0xdb44);
  table.fill(1, 0xdc00, 0xe000);
  for (const code of zeroWidth) table[code] = 1;
  return table;
}

/** Eight to a character, in either meaning of the two characters that are used. */
function zeroWidthRun(text: string, start: number): Run | null {
  let position = start;
  while (zeroWidth.has(text.charCodeAt(position))) position += 1;
  if (position === start) return null;
  if (position - start < 24) return { end: position, text: '' };
  const marks = [...new Set(text.slice(start, position))];
  if (marks.length > 3) return { end: position, text: '' };
  for (const one of marks) {
    const bits = Array.from(text.slice(start, position), (mark) => (mark === one ? 1 : 0));
    const read = textOfBits(bits);
    if (read !== null) return { end: position, text: read };
  }
  return { end: position, text: '' };
}

function textOfBits(bits: readonly number[]): string | null {
  const bytes: number[] = [];
  for (let from = 0; from + 8 <= bits.length; from += 8) {
    bytes.push(bits.slice(from, from + 8).reduce((byte, bit) => byte * 2 + bit, 0));
  }
  const isLetters = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  return isLetters ? String.fromCharCode(...bytes) : null;
}
