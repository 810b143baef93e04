// SPDX-License-Identifier: Apache-2.0
import type { DecodeBudget } from './budget.ts';
import { textOfBytes } from './blobs.ts';
import { Rewrite } from './view.ts';

const selectorsMin = 4;

/**
 * Writes out what invisible characters spell, in place: Unicode tags spell ASCII, variation
 * selectors spell bytes (VS1-16 are 0 to 15, VS17-256 are 16 to 255), and runs of two zero-width
 * characters spell bits.
 */
export function spellSmuggled(text: string, budget: DecodeBudget): Rewrite {
  const rewrite = new Rewrite(text);
  let position = 0;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    if (code < 0x200b) {
      position += 1;
      continue;
    }
    const run = tagRun(text, position) ?? selectorRun(text, position) ?? zeroWidthRun(text, position);
    if (run === null) {
      position += 1;
      continue;
    }
    if (run.text !== '') {
      if (!budget.takeReplacement()) break;
      rewrite.add(position, run.end, run.text);
    }
    position = run.end;
  }
  return rewrite;
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

const zeroWidth = new Set([0x200b, 0x200c, 0x200d, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xfeff]);

/** Eight to a character, in either meaning of the two characters that are used. */
function zeroWidthRun(text: string, start: number): Run | null {
  let position = start;
  while (zeroWidth.has(text.charCodeAt(position))) position += 1;
  if (position === start) return null;
  const marks = [...new Set(text.slice(start, position))];
  if (position - start < 24 || marks.length > 3) return { end: position, text: '' };
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
