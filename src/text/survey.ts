// SPDX-License-Identifier: Apache-2.0

/**
 * What one look at every character of a text tells about the encodings that may be in it. Lists are
 * written over by the next look at any text.
 */
export type Survey = {
  /** Places of the signs that escapes begin with. */
  readonly escapes: Int32Array;
  /** Places of the signs that markup begins with. */
  readonly marks: Int32Array;
  readonly isAscii: boolean;
  /** Places of letters after a sign that may stand for one: `3m`. */
  readonly mixed: Int32Array;
  /** Start and end, in turn, of each run of base64 characters that is long enough to hold a word. */
  readonly runs: readonly number[];
  /**
   * Start and end, in turn, of parts with lists of short tokens of equal kind: `69 67 6e`,
   * `105 103 110`, `i g n o r e`.
   */
  readonly lists: readonly number[];
  /** Start and end, in turn, of parts whose letters are spread as ROT13 spreads those of English. */
  readonly rotated: readonly number[];
};

const letter = 1;
const leet = 2;
const blob = 4;
const escape = 8;
const markup = 16;
const separator = 32;
const beyondAscii = 64;
/** Markup that cuts a word apart, and is none anywhere else. */
const markdown = 128;

const scoreShift = 8;
/** The bits of a character, and above them its score under ROT13. */
const table = buildTable();

export const runLengthMin = 14;
export const tokenCountMin = 6;
const tokenLengthMax = 8;
/** In 1/16 nat: about eighteen letters of rotated English. */
const rotationThreshold = 256;
/** A long part is read in pieces: what is like it by chance is then not all read. */
const rotatedPieceMin = 64;
const blobShift = 2;

/** Places are many in a hostile text, and are written down for every view of it: into the same memory. */
const placesKept = 1 << 16;
const scratch = placesFor(placesKept);
const noPlaces = new Int32Array(0);

/** Null where no encoding can be in the text. One pass; time is linear in the text. */
export function surveyOf(text: string): Survey | null {
  const { length } = text;
  if (length < shortLength && isPlain(text)) return null;
  const [escapes, marks, mixed] = length <= placesKept ? scratch : placesFor(length);
  let escapeCount = 0;
  let markCount = 0;
  let mixedCount = 0;
  const runs: number[] = [];
  const lists: number[] = [];
  const rotation = new Rotation(text);
  let seen = 0;
  let before = 0;
  /** The last character that is in no run. */
  let other = -1;
  let score = 0;
  let isRotated = false;
  let tokenStart = 0;
  let tokens = 0;
  let listStart = 0;
  let otherStart = -1;
  for (let position = 0; position < length; position += 1) {
    const known = table[text.charCodeAt(position)] ?? 0;
    seen |= known;
    if ((known & (escape | markup)) !== 0) {
      if ((known & escape) !== 0) {
        escapes[escapeCount] = position;
        escapeCount += 1;
      } else if ((known & markdown) === 0 || (before & blob) !== 0) {
        marks[markCount] = position;
        markCount += 1;
      }
    }
    if (((known << 1) & before & leet) !== 0) {
      mixed[mixedCount] = position;
      mixedCount += 1;
    }
    before = known;
    // What changes at every other letter or word of ordinary text is done without a branch, which a processor
    // could not foresee: the score does not fall below zero, and what belongs to no run begins a new one.
    score += known >> scoreShift;
    score &= ~(score >> 31);
    other ^= (other ^ position) & (((known & blob) >> blobShift) - 1);
    if (position - other === runLengthMin) runs.push(other + 1, runEnd(text, position + 1));
    if (isRotated || score >= rotationThreshold) isRotated = rotation.at(position, score, known);
    if ((known & separator) === 0) continue;
    const size = position - tokenStart;
    if (size > 0 && isListed(text, tokenStart, size)) {
      // The one before may have been this, with a sign before it: `data=[105`.
      if (tokens === 0) listStart = otherStart < 0 ? tokenStart : otherStart;
      tokens += 1;
    } else if (size > 0) {
      // The last one may have been this, with a sign behind it.
      if (tokens >= tokenCountMin - 1) lists.push(listStart, position);
      tokens = 0;
      otherStart = tokenStart;
    }
    tokenStart = position + 1;
  }
  if (tokens >= tokenCountMin - 1) lists.push(listStart, length);
  const rotated = rotation.end();
  const found = escapeCount + markCount + mixedCount + runs.length + lists.length + rotated.length;
  const isAscii = (seen & beyondAscii) === 0;
  if (found === 0 && isAscii) return null;
  return {
    isAscii, runs, lists, rotated,
    escapes: firstOf(escapes, escapeCount),
    marks: firstOf(marks, markCount),
    mixed: firstOf(mixed, mixedCount),
  };
}

/** A part of an array costs as much as a look at a short text; of most signs there are none. */
function firstOf(places: Int32Array, count: number): Int32Array {
  return count === 0 ? noPlaces : places.subarray(0, count);
}

function placesFor(length: number): readonly [Int32Array, Int32Array, Int32Array] {
  return [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
}

function runEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && ((table[text.charCodeAt(end)] ?? 0) & blob) !== 0) end += 1;
  return end;
}

/** Collects the parts whose letters are spread as ROT13 spreads them. */
class Rotation {
  private readonly text: string;
  private readonly parts: number[] = [];
  private start = 0;
  /** Behind the last letter that scored enough; 0 outside of any part. */
  private until = 0;
  /** Behind the last piece of the present part that was written down. */
  private from = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** To be told of each character from the first one with enough of a score on; false once the part is over. */
  at(position: number, score: number, known: number): boolean {
    if (score >= rotationThreshold) {
      if (this.until === 0) this.start = this.from = this.startOf(position, score);
      this.until = position + 1;
    }
    const isPiece = (known & blob) === 0 && this.until - this.from >= rotatedPieceMin;
    if (score === 0 || isPiece) this.parts.push(this.start, this.until);
    if (isPiece) this.from = this.until;
    if (score === 0) this.until = 0;
    return score > 0;
  }

  end(): readonly number[] {
    if (this.until > 0) this.parts.push(this.start, this.until);
    return this.parts;
  }

  /** Where the score last was zero that has become this by now; counted back once for each part. */
  private startOf(end: number, score: number): number {
    let start = end;
    let left = score;
    for (; start >= 0; start -= 1) {
      left -= (table[this.text.charCodeAt(start)] ?? 0) >> scoreShift;
      if (left === 0) break;
    }
    return Math.max(0, start - 1);
  }
}

/** Shorter texts hold neither runs nor lists nor enough letters to tell how they are spread. */
const shortLength = 11;

/**
 * A word, a date or a short number as it stands: too short for any encoding but a single sign, and for
 * any number of a person that no name stands before.
 */
export function isShortWord(text: string): boolean {
  if (text.length >= shortLength) return false;
  let digits = 0;
  let letters = 0;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code >= 0x30 && code <= 0x39) digits += 1;
    else if ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) letters += 1;
    else if (code === 0x2b || code === 0x40) return false;
  }
  return (digits < 5 || letters === 0) && isPlain(text);
}

/** No sign of an escape, of markup or of letters in other forms. */
function isPlain(text: string): boolean {
  let before = 0;
  for (let position = 0; position < text.length; position += 1) {
    const bits = table[text.charCodeAt(position)] ?? 0;
    if ((bits & (escape | markup | beyondAscii)) !== 0 || ((bits << 1) & before & leet) !== 0) return false;
    before = bits;
  }
  return true;
}

/** A letter set apart, two digits of hex, or a number, also in quotation marks. */
function isListed(text: string, start: number, length: number): boolean {
  if (length <= 2) return true;
  if (length > tokenLengthMax) return false;
  const first = text.charCodeAt(start);
  const sign = first === 0x22 || first === 0x27 ? text.charCodeAt(start + 1) : first;
  return sign >= 0x30 && sign <= 0x39;
}

function buildTable(): Int16Array {
  const bits = new Int16Array(0x10000).fill(beyondAscii, 0x80);
  const mark = (characters: string, bit: number): void => {
    for (const character of characters) {
      const code = character.charCodeAt(0);
      bits[code] = (bits[code] ?? 0) | bit;
    }
  };
  const lower = 'abcdefghijklmnopqrstuvwxyz';
  mark(`${lower}${lower.toUpperCase()}`, blob | letter);
  mark('0123456789+/_-', blob);
  mark('%&\\=+', escape);
  mark('<\u001b', markup);
  mark('`*~', markup | markdown);
  mark('0134578@$!|', leet);
  mark(' \t\r\n,;', separator);
  for (const [index, score] of rotationScores().entries()) {
    for (const first of [0x41, 0x61]) {
      bits[first + index] = (bits[first + index] ?? 0) | (score << scoreShift);
    }
  }
  return bits;
}

/**
 * Log-likelihood ratio of each letter under ROT13 of English against English, in 1/16 nat. The
 * frequencies are those of letters in English prose, in 1/1000.
 */
function rotationScores(): readonly number[] {
  const frequencies = [82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91]
    .concat([28, 10, 24, 2, 20, 1]);
  return frequencies.map((plain, index) => {
    const rotated = frequencies[(index + 13) % 26] ?? 1;
    // Clipped: one rare letter must not decide.
    return Math.round(16 * Math.max(-2.5, Math.min(2.5, Math.log(rotated / plain))));
  });
}
