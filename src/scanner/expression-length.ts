// SPDX-License-Identifier: Apache-2.0
import { ScannerError } from './scanner-error.ts';

/** What one attempt of an expression may read. */
export type Reach = {
  /** Of the longest text that it can match. */
  readonly length: number;
  /** ASCII character -> 1 where the expression can read on over it; null where it can over all. */
  readonly units: Uint8Array | null;
};

/**
 * What an expression can read, from how it is written: that bounds the cost of one attempt. Throws
 * `ScannerError` SCAN_RULE_INVALID when its length is not bounded, or it is written in a way that is
 * not understood here (the shipped rules are written in a small dialect).
 */
export function reachOf(expression: RegExp): Reach {
  const reader = new ExpressionReader(expression);
  const length = reader.alternatives();
  reader.expectEnd();
  return { length, units: reader.units.includes(0) ? reader.units : null };
}

/** The length of the longest text that an expression can match. Throws as `reachOf` does. */
export function longestMatch(expression: RegExp): number {
  return reachOf(expression).length;
}

const groupStart = /^\((?:\?(?::|=|!|<=|<!))?/;
const single = /^(?:\[(?:\\.|[^\]\\])*\]|\\u[0-9a-f]{4}|\\[^0-9k]|[^()|*+{}\\])/s;
const quantifier = /^(?:\{([0-9]+)(?:,([0-9]+))?\}|\?)\??/;
const asciiCount = 128;

class ExpressionReader {
  readonly units = new Uint8Array(asciiCount);
  private readonly source: string;
  private readonly flags: string;
  private position = 0;

  constructor({ source, flags }: RegExp) {
    this.source = source;
    this.flags = flags.replace('y', '');
  }

  alternatives(): number {
    let longest = 0;
    let length = 0;
    while (this.position < this.source.length && this.source[this.position] !== ')') {
      if (this.source[this.position] === '|') {
        this.position += 1;
        longest = Math.max(longest, length);
        length = 0;
      } else {
        length += this.atom() * this.repeats();
      }
    }
    return Math.max(longest, length);
  }

  expectEnd(): void {
    if (this.position < this.source.length) throw notUnderstood(this.source);
  }

  private atom(): number {
    const rest = this.source.slice(this.position);
    const group = groupStart.exec(rest)?.[0];
    if (group === undefined) return this.single(rest);
    this.position += group.length;
    const length = this.alternatives();
    if (this.source[this.position] !== ')') throw notUnderstood(this.source);
    this.position += 1;
    return group === '(' || group === '(?:' ? length : 0;
  }

  private single(rest: string): number {
    const one = single.exec(rest)?.[0];
    if (one === undefined) throw notUnderstood(this.source);
    this.position += one.length;
    if (one === '\\b' || one === '^' || one === '$') return 0;
    this.reads(one);
    return 1;
  }

  private reads(atom: string): void {
    for (const code of codesOf(atom, this.flags)) this.units[code] = 1;
  }

  private repeats(): number {
    const match = quantifier.exec(this.source.slice(this.position));
    if (match === null) return 1;
    this.position += match[0].length;
    return match[1] === undefined ? 1 : Number(match[2] ?? match[1]);
  }
}

/** Rules share most of their atoms, and there are some hundred: each is tried once in a process. */
const knownCodes = new Map<string, readonly number[]>();

/** ASCII characters that one atom matches. */
function codesOf(atom: string, flags: string): readonly number[] {
  // Most are letters and digits as they stand.
  if (/^[a-z0-9]$/i.test(atom)) {
    const forms = flags.includes('i') ? [atom.toLowerCase(), atom.toUpperCase()] : [atom];
    return forms.map((form) => form.charCodeAt(0));
  }
  const key = `${flags} ${atom}`;
  const known = knownCodes.get(key);
  if (known !== undefined) return known;
  const expression = new RegExp(`^${atom}$`, flags);
  const codes: number[] = [];
  for (let code = 0; code < asciiCount; code += 1) {
    if (expression.test(String.fromCharCode(code))) codes.push(code);
  }
  knownCodes.set(key, codes);
  return codes;
}

function notUnderstood(source: string): ScannerError {
  return new ScannerError('SCAN_RULE_INVALID', `The expression ${source} is not bounded.`);
}
