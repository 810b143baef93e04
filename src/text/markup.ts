// SPDX-License-Identifier: Apache-2.0
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { Rewrite } from './view.ts';

const lessThan = 0x3c;
const controlEscape = 0x1b;

/** Tags that end a line where they are shown; the others leave a word whole. */
const blockTags = new Set(
  'p div br hr li ul ol tr td th table h1 h2 h3 h4 h5 h6 section article header footer pre'.split(' '),
);
const markLengthMax = 4096;
/** Between two marks that cut one word apart. */
const cutLengthMax = 24;

export type Rendered = {
  readonly rewrite: Rewrite;
  /** Markup stands inside what is not shown: a word in a comment may be cut apart. */
  readonly isNested: boolean;
};

/**
 * The text as it is shown: without comments, tags, terminal controls (ECMA-48), and the signs of
 * Markdown inside a word. What a word was cut apart with is gone, and so is what was hidden: the
 * text itself is read as well. `signs` are the places of the signs that markup begins with.
 */
export function render(text: string, signs: Int32Array, effort: Effort): Rendered {
  const rewrite = new Rewrite(text);
  const places = new Map<string, number>();
  let done = 0;
  let isInTag = false;
  let isNested = false;
  for (const sign of signs) {
    if (sign < done) {
      isNested ||= isInTag;
      continue;
    }
    if (!effort.take('decoding', stepsOf.sign)) break;
    const code = text.charCodeAt(sign);
    const mark = markAt(text, sign, code, places);
    if (mark === null) continue;
    if (!effort.take('decoding', stepsOf.replacement)) break;
    rewrite.add(sign, mark.end, mark.text);
    done = mark.end;
    isInTag = code === lessThan;
  }
  return { rewrite, isNested };
}

/**
 * What is not shown, as its source shows it, without what cuts words apart: comments and attributes stay,
 * and the marks inside them go.
 */
export function renderSource(text: string, signs: Int32Array, effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  const places = new Map<string, number>();
  let done = 0;
  let hiddenUntil = 0;
  for (const sign of signs) {
    if (sign < done) continue;
    if (!effort.take('decoding', stepsOf.sign)) break;
    const code = text.charCodeAt(sign);
    const mark = markAt(text, sign, code, places);
    if (mark === null) continue;
    if (code === lessThan && holdsText(text, sign, mark.end, places)) {
      hiddenUntil = Math.max(hiddenUntil, mark.end);
      continue;
    }
    if (sign >= hiddenUntil) continue;
    if (!effort.take('decoding', stepsOf.replacement)) break;
    rewrite.add(sign, mark.end, mark.text);
    done = mark.end;
    // The sign that seemed to end what is hidden may have been part of what cuts it apart.
    hiddenUntil = Math.max(hiddenUntil, mark.end + cutLengthMax);
  }
  return rewrite;
}

/** A comment with something in it, or a tag with an attribute. */
function holdsText(text: string, start: number, end: number, places: Map<string, number>): boolean {
  if (text.startsWith('<!--', start)) return end - start > 8;
  const place = find(text, '=', start, places);
  return place >= 0 && place < end;
}

type Mark = { readonly end: number; readonly text: string };

function markAt(text: string, start: number, code: number, places: Map<string, number>): Mark | null {
  if (code === lessThan) return tagAt(text, start, places);
  if (code === controlEscape) return controlAt(text, start);
  let end = start + 1;
  while (text.charCodeAt(end) === code && end - start < 3) end += 1;
  const isInWord = isNameUnit(text.charCodeAt(start - 1)) && isNameUnit(text.charCodeAt(end));
  return isInWord ? { end, text: '' } : null;
}

function tagAt(text: string, start: number, places: Map<string, number>): Mark | null {
  if (text.startsWith('<!--', start)) {
    const end = find(text, '-->', start + 4, places);
    return { end: end < 0 ? text.length : end + 3, text: '' };
  }
  const next = text.charCodeAt(start + 1);
  if (!isLetter(next) && next !== 0x2f && next !== 0x21 && next !== 0x3f) return null;
  const end = find(text, '>', start + 1, places);
  if (end < 0 || end - start > markLengthMax) return null;
  const from = start + (next === 0x2f ? 2 : 1);
  let nameEnd = from;
  while (nameEnd < end && nameEnd - from < 12 && isNameUnit(text.charCodeAt(nameEnd))) nameEnd += 1;
  const name = text.slice(from, nameEnd).toLowerCase();
  return { end: end + 1, text: blockTags.has(name) ? '\n' : '' };
}

/** The next place of what is sought; what was found before is not looked for again. */
function find(text: string, sought: string, from: number, places: Map<string, number>): number {
  const known = places.get(sought);
  if (known !== undefined && (known < 0 || known >= from)) return known;
  const place = text.indexOf(sought, from);
  places.set(sought, place);
  return place;
}

/** A control sequence (CSI), an operating system command (OSC), or a short escape. */
function controlAt(text: string, start: number): Mark {
  const kind = text.charCodeAt(start + 1);
  if (kind === 0x5b) {
    let end = start + 2;
    while (end - start < 32 && text.charCodeAt(end) >= 0x20 && text.charCodeAt(end) < 0x40) end += 1;
    return { end: Math.min(text.length, end + 1), text: '' };
  }
  if (kind === 0x5d) {
    let end = start + 2;
    while (end - start < 512 && end < text.length && !endsCommand(text.charCodeAt(end))) end += 1;
    return { end: Math.min(text.length, end + 1), text: '' };
  }
  return { end: Math.min(text.length, start + 2), text: '' };
}

function endsCommand(code: number): boolean {
  return code === 0x07 || code === 0x5c;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isNameUnit(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39);
}
