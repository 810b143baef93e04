// SPDX-License-Identifier: Apache-2.0
import type { MessageCode } from './codes.ts';
import { isForbidden } from './forbidden-keys.ts';

/** The bounds that the scan itself enforces. */
export type ScanLimits = {
  readonly depthMax: number;
  readonly membersMax: number;
  readonly keyLengthMax: number;
};

export type ScanResult = {
  /** Null when the text is one well-formed JSON value within the limits. */
  readonly code: MessageCode | null;
  readonly offset: number;
  /** True when the text is its own RFC 8785 form. */
  readonly canonical: boolean;
  /** True when every object's members ascend strictly: then none can be a duplicate. */
  readonly ascending: boolean;
  /** Object members in the text, duplicates counted. */
  readonly members: number;
};

/**
 * Checks the structure of a JSON text in one pass, without recursion and without building values.
 * It does not look for duplicates where members are out of order, unless `findDuplicate` asks it to
 * keep the keys of every open object.
 */
export function scanJson(text: string, limits: ScanLimits, findDuplicate = false): ScanResult {
  const scan = new JsonScan(text, limits, findDuplicate);
  scan.run();
  const canonical = scan.code === null && scan.canonical && scan.ascending;
  const { code, offset, ascending, members } = scan;
  return { code, offset, canonical, ascending, members };
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const minus = 0x2d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Digits of the longest integer that is safe whatever its digits are. */
const safeDigits = 15;
const numberLengthMax = 40;
/** From here on ECMAScript writes integers with an exponent; below it they are written out. */
const exponentForm = 1e21;
const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

class JsonScan {
  code: MessageCode | null = null;
  offset = 0;
  canonical = true;
  ascending = true;
  members = 0;
  private readonly text: string;
  private readonly limits: ScanLimits;
  private readonly findDuplicate: boolean;
  private position = 0;
  private depth = 0;
  private elements = 0;
  /** The closing character of each open container. */
  private readonly closers: number[] = [];
  /** The last key of each open object; null before the first. */
  private readonly lastKeys: (string | null)[] = [];
  private readonly keySets: Set<string>[] = [];

  constructor(text: string, limits: ScanLimits, findDuplicate: boolean) {
    this.text = text;
    this.limits = limits;
    this.findDuplicate = findDuplicate;
  }

  run(): void {
    if (!this.readValue()) return;
    while (this.depth > 0) {
      const closer = this.closers[this.depth - 1];
      const code = this.skipSpace();
      if (code === comma) {
        this.position += 1;
        if (closer === closeBrace && !this.readKey()) return;
        if (!this.readValue()) return;
      } else if (code === closer) {
        this.position += 1;
        this.depth -= 1;
      } else {
        this.fail('MESSAGE_JSON_SYNTAX');
        return;
      }
    }
    this.skipSpace();
    if (this.position < this.text.length) this.fail('MESSAGE_JSON_SYNTAX');
  }

  /** Reads one scalar, or opens containers up to and including their first scalar. */
  private readValue(): boolean {
    for (;;) {
      this.elements += 1;
      if (this.elements > this.limits.membersMax) return this.fail('MESSAGE_TOO_MANY_MEMBERS');
      const code = this.skipSpace();
      if (code !== openBrace && code !== openBracket) return this.readScalar(code);
      const closer = code === openBrace ? closeBrace : closeBracket;
      if (!this.open(closer)) return false;
      if (this.skipSpace() === closer) {
        this.position += 1;
        this.depth -= 1;
        return true;
      }
      if (closer === closeBrace && !this.readKey()) return false;
    }
  }

  private open(closer: number): boolean {
    if (this.depth >= this.limits.depthMax) return this.fail('MESSAGE_TOO_DEEP');
    this.position += 1;
    this.closers[this.depth] = closer;
    this.lastKeys[this.depth] = null;
    if (this.findDuplicate) this.keySets[this.depth] = new Set();
    this.depth += 1;
    return true;
  }

  private readScalar(code: number): boolean {
    if (code === quote) return this.readString() !== null;
    if (code === minus || (code >= 0x30 && code <= 0x39)) return this.readNumber();
    if (code === 0x74) return this.readWord('true');
    if (code === 0x66) return this.readWord('false');
    if (code === 0x6e) return this.readWord('null');
    return this.fail('MESSAGE_JSON_SYNTAX');
  }

  private readWord(word: string): boolean {
    if (!this.text.startsWith(word, this.position)) return this.fail('MESSAGE_JSON_SYNTAX');
    this.position += word.length;
    return true;
  }

  private readKey(): boolean {
    if (this.skipSpace() !== quote) return this.fail('MESSAGE_JSON_SYNTAX');
    const start = this.position;
    const escaped = this.readString();
    if (escaped === null) return false;
    const raw = this.text.slice(start + 1, this.position - 1);
    const key = escaped ? decode(this.text.slice(start, this.position)) : raw;
    if (key.length > this.limits.keyLengthMax) return this.failAt('MESSAGE_KEY_TOO_LONG', start);
    if (isForbidden(key)) return this.failAt('MESSAGE_KEY_FORBIDDEN', start);
    if (!this.noteKey(key, start)) return false;
    if (this.skipSpace() !== colon) return this.fail('MESSAGE_JSON_SYNTAX');
    this.position += 1;
    return true;
  }

  private noteKey(key: string, start: number): boolean {
    const frame = this.depth - 1;
    const last = this.lastKeys[frame] ?? null;
    if (last !== null && key <= last) this.ascending = false;
    this.lastKeys[frame] = key;
    this.members += 1;
    const keys = this.keySets[frame];
    if (this.findDuplicate && keys !== undefined) {
      if (keys.has(key)) return this.failAt('MESSAGE_DUPLICATE_KEY', start);
      keys.add(key);
    }
    return true;
  }

  /** Null: refused; otherwise whether the string holds an escape. */
  private readString(): boolean | null {
    const text = this.text;
    const length = text.length;
    let position = this.position + 1;
    let escaped = false;
    while (position < length) {
      const code = text.charCodeAt(position);
      if (code === quote) {
        this.position = position + 1;
        return escaped;
      }
      if (code < 0x20) break;
      if (code === backslash) {
        escaped = true;
        position = this.readEscape(position);
        if (position < 0) return null;
      } else {
        position += 1;
      }
    }
    this.failAt('MESSAGE_JSON_SYNTAX', position);
    return null;
  }

  /** The position after the escape that starts at `position`; -1 when it is refused. */
  private readEscape(position: number): number {
    const code = this.text.charCodeAt(position + 1);
    // b, t, n, f, r, quote and backslash are what RFC 8785 writes itself.
    if (code === 0x62 || code === 0x74 || code === 0x6e || code === 0x66 || code === 0x72) {
      return position + 2;
    }
    if (code === quote || code === backslash) return position + 2;
    if (code === 0x2f) {
      this.canonical = false;
      return position + 2;
    }
    if (code !== 0x75) return this.escapeFails('MESSAGE_JSON_SYNTAX', position);
    const unit = hexUnit(this.text, position + 2);
    if (unit < 0) return this.escapeFails('MESSAGE_JSON_SYNTAX', position);
    if (!isCanonicalEscape(unit, this.text, position)) this.canonical = false;
    if (unit < 0xd800 || unit > 0xdfff) return position + 6;
    const low = this.text.startsWith('\\u', position + 6) ? hexUnit(this.text, position + 8) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
      return this.escapeFails('MESSAGE_LONE_SURROGATE', position);
    }
    return position + 12;
  }

  private escapeFails(code: MessageCode, position: number): -1 {
    this.failAt(code, position);
    return -1;
  }

  private readNumber(): boolean {
    const start = this.position;
    numberPattern.lastIndex = start;
    const match = numberPattern.exec(this.text);
    if (match === null) return this.fail('MESSAGE_JSON_SYNTAX');
    const literal = match[0];
    const isInteger = match[1] === undefined && match[2] === undefined;
    this.position = start + literal.length;
    if (isInteger && literal.length <= safeDigits) {
      if (literal === '-0') this.canonical = false;
      return true;
    }
    if (literal.length > numberLengthMax) return this.failAt('MESSAGE_NUMBER_UNSAFE', start);
    const value = Number(literal);
    if (!isSafe(value, isInteger, literal)) return this.failAt('MESSAGE_NUMBER_UNSAFE', start);
    if (String(value) !== literal) this.canonical = false;
    return true;
  }

  /** Skips JSON white space; the code unit at the new position, NaN at the end of the text. */
  private skipSpace(): number {
    let code = this.text.charCodeAt(this.position);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.canonical = false;
      this.position += 1;
      code = this.text.charCodeAt(this.position);
    }
    return code;
  }

  private fail(code: MessageCode): false {
    return this.failAt(code, this.position);
  }

  private failAt(code: MessageCode, offset: number): false {
    this.code = code;
    this.offset = Math.min(offset, this.text.length);
    return false;
  }
}

function decode(literal: string): string {
  return String(JSON.parse(literal));
}

/**
 * Integers beyond 2^53-1 lose digits, also those that would be written out in canonical form; what
 * overflows to infinity or underflows to zero loses everything.
 */
function isSafe(value: number, isInteger: boolean, literal: string): boolean {
  if (!Number.isFinite(value)) return false;
  const magnitude = Math.abs(value);
  if (magnitude > Number.MAX_SAFE_INTEGER) return !isInteger && magnitude >= exponentForm;
  return magnitude !== 0 || !/[1-9]/.test(mantissa(literal));
}

function mantissa(literal: string): string {
  const exponent = literal.search(/[eE]/);
  return exponent < 0 ? literal : literal.slice(0, exponent);
}

function hexUnit(text: string, start: number): number {
  let unit = 0;
  for (let position = start; position < start + 4; position += 1) {
    const digit = hexDigit(text.charCodeAt(position));
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10;
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10;
  return -1;
}

/** RFC 8785 writes only control characters without a short escape as `\u00xx`, in lower case. */
function isCanonicalEscape(unit: number, text: string, position: number): boolean {
  if (unit >= 0x20 || unit === 8 || unit === 9 || unit === 10 || unit === 12 || unit === 13) {
    return false;
  }
  const digits = text.slice(position + 2, position + 6);
  return digits === digits.toLowerCase();
}
