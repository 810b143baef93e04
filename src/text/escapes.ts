// SPDX-License-Identifier: Apache-2.0
import type { Effort } from './effort.ts';
import { stepsOf } from './effort.ts';
import { decodeUtf8 } from './utf8.ts';
import { Rewrite } from './view.ts';

/** Named character references of HTML that stand for ASCII, and the spaces. */
const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'], ['gt', '>'], ['amp', '&'], ['quot', '"'], ['apos', "'"], ['nbsp', ' '],
  ['Tab', '\t'], ['NewLine', '\n'], ['excl', '!'], ['num', '#'], ['dollar', '$'],
  ['percnt', '%'], ['lpar', '('], ['rpar', ')'], ['ast', '*'], ['plus', '+'], ['comma', ','],
  ['period', '.'], ['sol', '/'], ['colon', ':'], ['semi', ';'], ['equals', '='], ['quest', '?'],
  ['commat', '@'], ['lsqb', '['], ['lbrack', '['], ['bsol', '\\'], ['rsqb', ']'], ['Hat', '^'],
  ['lowbar', '_'], ['grave', '`'], ['lcub', '{'], ['lbrace', '{'], ['verbar', '|'], ['vert', '|'],
  ['rcub', '}'], ['rbrace', '}'], ['ensp', ' '], ['emsp', ' '], ['thinsp', ' '], ['shy', ''],
  ['zwj', ''], ['zwnj', ''], ['ZeroWidthSpace', ''], ['hyphen', '-'], ['dash', '-'],
]);

const entityLengthMax = 16;
const percent = 0x25;
const ampersand = 0x26;
const backslash = 0x5c;
const equals = 0x3d;
const plus = 0x2b;
/** Of words that are joined by plus signs: how long one may be, and how many signs make it a form and no sum. */
const formWordMax = 24;
const formSignsMin = 3;
const hexDigits = digitsFrom(0x41);
/** ROT13 writes `a` to `f` as `n` to `s`. */
const turnedDigits = digitsFrom(0x4e);

/**
 * Undoes percent-encoding (RFC 3986), spaces of forms written as `+` (WHATWG URL, 5.1), character
 * references of HTML, backslash escapes of JSON, JavaScript and C, and quoted-printable (RFC 2045), once
 * and in place, also where ROT13 has turned the letters in them; `places` are those of the signs that
 * escapes begin with.
 */
export function unescape(text: string, places: Int32Array, effort: Effort): Rewrite {
  const rewrite = new Rewrite(text);
  let done = 0;
  let formEnd = 0;
  for (const place of places) {
    if (place < done) continue;
    const code = text.charCodeAt(place);
    if (!effort.take('decoding', code === plus && place >= formEnd ? stepsOf.form : stepsOf.sign)) break;
    if (code === plus && place >= formEnd) formEnd = formEndOf(text, place);
    const unit = code === plus ? spaceBefore(formEnd, place) : unitAt(text, place, code);
    if (unit === null) continue;
    if (!effort.take('decoding', stepsOf.replacement + stepsOf.sign * (unit.text.length - 1))) break;
    rewrite.add(place, unit.end, unit.text);
    done = unit.end;
  }
  return rewrite;
}

type Unit = { readonly text: string; readonly end: number };

function spaceBefore(formEnd: number, place: number): Unit | null {
  return place < formEnd ? { text: ' ', end: place + 1 } : null;
}

/**
 * Where a row of words joined by plus signs ends; its beginning where it is none. Sums have a sign or two,
 * lines of tables have dashes behind them, and runs of base64 have capitals inside words.
 */
function formEndOf(text: string, start: number): number {
  let last = start;
  let signs = 1;
  let before = plus;
  for (let position = start + 1; position < text.length && position - last <= formWordMax; position += 1) {
    const code = text.charCodeAt(position);
    const isCapital = code >= 0x41 && code <= 0x5a;
    if (code <= 0x20 || (code === 0x2d && before === plus) || (isCapital && isLowerOrDigit(before))) break;
    before = code;
    if (code !== plus) continue;
    last = position;
    signs += 1;
  }
  return signs >= formSignsMin ? last + 1 : start;
}

function isLowerOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

function unitAt(text: string, start: number, code: number): Unit | null {
  switch (code) {
    case percent:
      return bytesAt(text, start, percent, 1);
    case equals:
      return quotedAt(text, start);
    case ampersand:
      return referenceAt(text, start);
    default:
      return backslashAt(text, start);
  }
}

/** A run of `%69%67` or `=69=67`, read as UTF-8; at least `unitsMin` of them. */
function bytesAt(text: string, start: number, mark: number, unitsMin: number): Unit | null {
  let position = start;
  let ascii = '';
  let isAscii = true;
  while (text.charCodeAt(position) === mark) {
    const byte = byteAt(text, position + 1);
    if (byte < 0) break;
    if (byte > 127) isAscii = false;
    else if (isAscii) ascii += String.fromCharCode(byte);
    position += 3;
  }
  if (position - start < 3 * unitsMin) return null;
  // `%5s` alone is a format.
  if (position - start === 3 && hexAt(text, start + 1, 2) < 0) return null;
  return { text: isAscii ? ascii : utf8At(text, start, position), end: position };
}

function utf8At(text: string, start: number, end: number): string {
  const bytes = new Uint8Array((end - start) / 3);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = byteAt(text, start + 3 * index + 1);
  }
  return decodeUtf8(bytes);
}

/** Two digits of hex, as they are or with their letters turned by ROT13; -1 when there are none. */
function byteAt(text: string, from: number): number {
  if (from + 2 > text.length) return -1;
  const first = text.charCodeAt(from);
  const second = text.charCodeAt(from + 1);
  const byte = pairIn(hexDigits, first, second);
  return byte < 0 ? pairIn(turnedDigits, first, second) : byte;
}

function pairIn(digits: Int8Array, first: number, second: number): number {
  const high = first < 0x80 ? (digits[first] ?? -1) : -1;
  const low = second < 0x80 ? (digits[second] ?? -1) : -1;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** `a=20` is an ordinary equation; two coded bytes in a row, or a soft line break, are not. */
function quotedAt(text: string, start: number): Unit | null {
  const next = text.charCodeAt(start + 1);
  if (next === 0x0a) return { text: '', end: start + 2 };
  if (next === 0x0d && text.charCodeAt(start + 2) === 0x0a) return { text: '', end: start + 3 };
  return bytesAt(text, start, equals, 2);
}

function referenceAt(text: string, start: number): Unit | null {
  if (text.charCodeAt(start + 1) === 0x23) return numericAt(text, start);
  let end = start + 1;
  while (end - start <= entityLengthMax && isNameUnit(text.charCodeAt(end))) end += 1;
  if (end - start < 3 || text.charCodeAt(end) !== 0x3b) return null;
  const known = entities.get(text.slice(start + 1, end));
  return known === undefined ? null : { text: known, end: end + 1 };
}

/** `&#105;`, `&#x69;`, and without the semicolon, as browsers read them. */
function numericAt(text: string, start: number): Unit | null {
  const isHex = (text.charCodeAt(start + 2) | 0x20) === 0x78;
  const from = start + (isHex ? 3 : 2);
  let position = from;
  let point = 0;
  while (position - from < 8) {
    const digit = digitAt(text, position);
    if (digit < 0 || (!isHex && digit > 9)) break;
    point = point * (isHex ? 16 : 10) + digit;
    position += 1;
  }
  if (position === from) return null;
  if (text.charCodeAt(position) === 0x3b) position += 1;
  return pointUnit(point, position);
}

function backslashAt(text: string, start: number): Unit | null {
  const kind = text.charCodeAt(start + 1);
  if (kind === 0x78) return fixedAt(text, start + 2, 2);
  if (kind === 0x55) return fixedAt(text, start + 2, 8);
  if (kind === 0x6e || kind === 0x72 || kind === 0x74) return { text: ' ', end: start + 2 };
  if (kind === 0x75) {
    if (text.charCodeAt(start + 2) === 0x7b) return bracedAt(text, start);
    return pairAt(text, start) ?? fixedAt(text, start + 2, 4);
  }
  // `\u` and `\x` under ROT13.
  if (kind === 0x68) return fixedAt(text, start + 2, 4, turnedDigits);
  if (kind === 0x6b) return fixedAt(text, start + 2, 2, turnedDigits);
  if (kind >= 0x30 && kind <= 0x33) return octalAt(text, start + 1);
  return null;
}

/** Place of a sign within so many characters; -1 when it is not there. */
function nearest(text: string, sought: number, from: number, within: number): number {
  for (let position = from; position < from + within; position += 1) {
    if (text.charCodeAt(position) === sought) return position;
  }
  return -1;
}

function fixedAt(text: string, from: number, length: number, digits = hexDigits): Unit | null {
  const point = hexAt(text, from, length, digits);
  return point < 0 ? null : pointUnit(point, from + length);
}

/** Two escapes of JSON that spell one character beyond the first plane. */
function pairAt(text: string, start: number): Unit | null {
  const high = hexAt(text, start + 2, 4);
  if (high < 0xd800 || high > 0xdbff || text.charCodeAt(start + 6) !== backslash) return null;
  const low = hexAt(text, start + 8, 4);
  if (low < 0xdc00 || low > 0xdfff) return null;
  return { text: String.fromCharCode(high, low), end: start + 12 };
}

function bracedAt(text: string, start: number): Unit | null {
  const end = nearest(text, 0x7d, start + 3, 7);
  if (end < 0) return null;
  const point = hexAt(text, start + 3, end - start - 3);
  return point < 0 ? null : pointUnit(point, end + 1);
}

function octalAt(text: string, from: number): Unit | null {
  let value = 0;
  for (let offset = 0; offset < 3; offset += 1) {
    const digit = text.charCodeAt(from + offset) - 0x30;
    if (!(digit >= 0 && digit <= 7)) return null;
    value = value * 8 + digit;
  }
  return value < 0x20 ? null : { text: String.fromCharCode(value), end: from + 3 };
}

/** NUL and what is no scalar value stay as they are written. */
function pointUnit(point: number, end: number): Unit | null {
  if (!(point > 0 && point <= 0x10ffff)) return null;
  if (point >= 0xd800 && point <= 0xdfff) return null;
  return { text: String.fromCodePoint(point), end };
}

/** -1 when there are not `length` digits; -1 for no digits at all. */
function hexAt(text: string, from: number, length: number, digits = hexDigits): number {
  if (length < 1) return -1;
  let value = 0;
  for (let position = from; position < from + length; position += 1) {
    const digit = digitAt(text, position, digits);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function digitAt(text: string, position: number, digits = hexDigits): number {
  const code = position < text.length ? text.charCodeAt(position) : 0x80;
  return code < 0x80 ? (digits[code] ?? -1) : -1;
}

/** What each character is as a digit; -1 for none. */
function digitsFrom(first: number): Int8Array {
  const table = new Int8Array(0x80).fill(-1);
  for (let digit = 0; digit < 10; digit += 1) table[0x30 + digit] = digit;
  for (let digit = 10; digit < 16; digit += 1) {
    table[first + digit - 10] = digit;
    table[first + digit - 10 + 0x20] = digit;
  }
  return table;
}

/** A letter of ASCII. */
function isNameUnit(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
