// SPDX-License-Identifier: Apache-2.0
import { ScannerError } from './scanner-error.ts';

/**
 * The length of the longest text that an expression can match, which bounds what one attempt reads.
 * Throws `ScannerError` SCAN_RULE_INVALID when it is not bounded, or written in a way that is not
 * understood here (the shipped rules are written in a small dialect).
 */
export function longestMatch(expression: RegExp): number {
  const reader = new ExpressionReader(expression.source);
  const length = reader.alternatives();
  reader.expectEnd();
  return length;
}

const groupStart = /^\((?:\?(?::|=|!|<=|<!))?/;
const single = /^(?:\[(?:\\.|[^\]\\])*\]|\\u[0-9a-f]{4}|\\[^0-9k]|[^()|*+{}\\])/s;
const quantifier = /^(?:\{([0-9]+)(?:,([0-9]+))?\}|\?)\??/;

class ExpressionReader {
  private readonly source: string;
  private position = 0;

  constructor(source: string) {
    this.source = source;
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
    return one === '\\b' || one === '^' || one === '$' ? 0 : 1;
  }

  private repeats(): number {
    const match = quantifier.exec(this.source.slice(this.position));
    if (match === null) return 1;
    this.position += match[0].length;
    return match[1] === undefined ? 1 : Number(match[2] ?? match[1]);
  }
}

function notUnderstood(source: string): ScannerError {
  return new ScannerError('SCAN_RULE_INVALID', `The expression ${source} is not bounded.`);
}
