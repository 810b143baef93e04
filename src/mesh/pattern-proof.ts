// SPDX-License-Identifier: Apache-2.0

/** What can be said for certain about every text that a pattern matches. */
export type PatternProof =
  | {
      readonly ok: true;
      /** Longest text it matches, in characters; Infinity when unbounded. */
      readonly lengthMax: number;
      /** How many letters a writer may choose freely: enough of them spell words. */
      readonly lettersMax: number;
    }
  | { readonly ok: false; readonly reason: string };

const patternLengthMax = 512;
const groupDepthMax = 8;

type Extent = { readonly length: number; readonly letters: number };
type CharacterClass = { readonly letters: number };

/**
 * Proves that a pattern matches nothing but printable ASCII without white space, end to end. The
 * grammar is small on purpose: `^`, then literals, `\d`, `\w`, positive classes of printable ASCII,
 * groups with alternatives, and `* + ? {n} {n,} {n,m}`, then `$`. What it cannot read it does not
 * prove: dot, negation, anchors in the middle, look-around, flags and other escapes.
 */
export function provePattern(pattern: string): PatternProof {
  if (pattern.length > patternLengthMax) return { ok: false, reason: 'the pattern is too long' };
  if (!pattern.startsWith('^')) return { ok: false, reason: 'the pattern does not start with ^' };
  const reader = new PatternReader(pattern, 1);
  const extent = reader.sequence(0);
  if (typeof extent === 'string') return { ok: false, reason: extent };
  if (reader.rest() !== '$') return { ok: false, reason: 'the pattern does not end with $' };
  return { ok: true, lengthMax: extent.length, lettersMax: extent.letters };
}

/** Reads one pattern from left to right; a text result is the reason why nothing is proven. */
class PatternReader {
  readonly #pattern: string;
  #position: number;

  constructor(pattern: string, position: number) {
    this.#pattern = pattern;
    this.#position = position;
  }

  rest(): string {
    return this.#pattern.slice(this.#position);
  }

  #peek(): string {
    return this.#pattern.charAt(this.#position);
  }

  #take(): string {
    const character = this.#peek();
    this.#position += 1;
    return character;
  }

  /** Elements up to `$`, `|`, `)` or the end. */
  sequence(depth: number): Extent | string {
    let length = 0;
    let letters = 0;
    while (!['', '$', '|', ')'].includes(this.#peek())) {
      const element = this.#element(depth);
      if (typeof element === 'string') return element;
      const times = this.#quantifier();
      if (typeof times === 'string') return times;
      length += multiply(element.length, times);
      letters += multiply(element.letters, times);
    }
    return { length, letters };
  }

  #element(depth: number): Extent | string {
    const character = this.#take();
    if (character === '(') return this.#group(depth + 1);
    if (character === '[') {
      const characters = this.#class();
      return typeof characters === 'string' ? characters : { length: 1, ...characters };
    }
    if (character === '\\') {
      const escaped = this.#escape('^$\\.*+?()[]{}|/');
      return typeof escaped === 'string' ? escaped : { length: 1, letters: escaped.letters };
    }
    if ('.^*+?{}]'.includes(character)) return `${character} is not allowed here`;
    if (!isPrintable(character)) return 'the pattern holds white space or a special character';
    return { length: 1, letters: 0 };
  }

  #group(depth: number): Extent | string {
    if (depth > groupDepthMax) return 'groups nest too deeply';
    if (this.#peek() === '?') {
      this.#take();
      if (this.#take() !== ':') return 'only plain and (?: groups are allowed';
    }
    let length = 0;
    let letters = 0;
    for (;;) {
      const option = this.sequence(depth);
      if (typeof option === 'string') return option;
      length = Math.max(length, option.length);
      letters = Math.max(letters, option.letters);
      const end = this.#take();
      if (end === ')') return { length, letters };
      if (end !== '|') return 'a group does not end';
    }
  }

  /** After a backslash; the punctuation that may be escaped differs inside a class. */
  #escape(punctuation: string): CharacterClass | string {
    const character = this.#take();
    if (character === 'd') return { letters: 0 };
    if (character === 'w') return { letters: 1 };
    if (character !== '' && punctuation.includes(character)) return { letters: 0 };
    return 'only \\d, \\w and escaped punctuation are allowed';
  }

  #class(): CharacterClass | string {
    if (this.#peek() === '^') return 'a negated class is not allowed';
    let letterCount = 0;
    let size = 0;
    for (;;) {
      const character = this.#take();
      if (character === ']') break;
      if (character === '[') return 'a class holds an unescaped [';
      if (character === '\\') {
        const escaped = this.#escape('^$\\.*+?()[]{}|/-');
        if (typeof escaped === 'string') return escaped;
        if (this.#isRange()) return 'a range that begins with an escape is not read';
        letterCount += escaped.letters * 26;
      } else {
        const end = this.#rangeEnd(character);
        if (end === null) return 'a class holds white space, a bad range or a special character';
        letterCount += lettersBetween(character, end);
      }
      size += 1;
    }
    return size === 0 ? 'a class is empty' : { letters: letterCount > 1 ? 1 : 0 };
  }

  #isRange(): boolean {
    return this.#peek() === '-' && this.#pattern.charAt(this.#position + 1) !== ']';
  }

  /** The last character of a range that starts here, or the character itself. */
  #rangeEnd(start: string): string | null {
    if (!isPrintable(start)) return null;
    if (!this.#isRange()) return start;
    this.#take();
    const end = this.#take();
    return isPrintable(end) && end !== '\\' && end !== '[' && start <= end ? end : null;
  }

  /** How often, at most, the element before is repeated. */
  #quantifier(): number | string {
    const character = this.#peek();
    if (!['*', '+', '?', '{'].includes(character)) return 1;
    this.#take();
    const times = character === '{' ? this.#counts() : character === '?' ? 1 : Infinity;
    if (['*', '+', '?', '{'].includes(this.#peek())) return 'a quantifier follows a quantifier';
    return times;
  }

  #counts(): number | string {
    const [whole, low, comma, high] = /^(\d{1,4})(,?)(\d{0,4})\}/.exec(this.rest()) ?? [];
    if (whole === undefined) return 'a count is malformed';
    this.#position += whole.length;
    if (comma === '') return high === '' ? Number(low) : 'a count is malformed';
    if (high === '') return Infinity;
    return Number(low) <= Number(high) ? Number(high) : 'a count is malformed';
  }
}

function isPrintable(character: string): boolean {
  return character.length === 1 && character >= '!' && character <= '~';
}

function lettersBetween(start: string, end: string): number {
  const overlap = (low: number, high: number): number =>
    Math.max(0, Math.min(end.charCodeAt(0), high) - Math.max(start.charCodeAt(0), low) + 1);
  return overlap(65, 90) + overlap(97, 122);
}

/** Nothing repeated without end is still nothing. */
function multiply(extent: number, times: number): number {
  return extent === 0 || times === 0 ? 0 : extent * times;
}
