// SPDX-License-Identifier: Apache-2.0

/** What one look at every character of a text tells about the encodings that may be in it. */
export type Survey = {
  /** Places of the signs that escapes begin with. */
  readonly escapes: readonly number[];
  /** Places of the signs that markup begins with. */
  readonly marks: readonly number[];
  readonly isAscii: boolean;
  /** Places of letters after a sign that may stand for one: `3m`. */
  readonly mixed: readonly number[];
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

const scoreShift = 8;
/** The bits of a character, and above them its score under ROT13. */
const table = buildTable();

export const runLengthMin = 14;
export const tokenCountMin = 6;
const tokenLengthMax = 8;
/** In 1/16 nat: about eighteen letters of rotated English. */
const rotationThreshold = 256;

/** Null where no encoding can be in the text. One pass; time is linear in the text. */
export function surveyOf(text: string): Survey | null {
  if (text.length < shortLength && isPlain(text)) return null;
  const runs: number[] = [];
  const rotated: number[] = [];
  const escapes: number[] = [];
  const marks: number[] = [];
  const mixed: number[] = [];
  const lists: number[] = [];
  let seen = 0;
  let before = 0;
  let runStart = -1;
  let tokenStart = 0;
  let tokens = 0;
  let listStart = 0;
  let otherStart = -1;
  let score = 0;
  let rotatedStart = 0;
  let rotatedEnd = 0;
  for (let position = 0; position < text.length; position += 1) {
    const known = table[text.charCodeAt(position)] ?? 0;
    const bits = known & 0xff;
    seen |= bits;
    if (((bits << 1) & before & leet) !== 0) mixed.push(position);
    before = bits;
    if ((bits & (escape | markup)) !== 0) ((bits & escape) !== 0 ? escapes : marks).push(position);
    score += known >> scoreShift;
    if (score <= 0) {
      score = 0;
      if (rotatedEnd > 0) rotated.push(rotatedStart, rotatedEnd);
      rotatedStart = position;
      rotatedEnd = 0;
    }
    if (score >= rotationThreshold) rotatedEnd = position + 1;
    if ((bits & blob) !== 0) {
      if (runStart < 0) runStart = position;
      continue;
    }
    if (rotatedEnd > 0) rotated.push(rotatedStart, rotatedEnd);
    if (runStart >= 0 && position - runStart >= runLengthMin) runs.push(runStart, position);
    runStart = -1;
    if ((bits & separator) === 0) continue;
    const length = position - tokenStart;
    if (length > 0 && isListed(text, tokenStart, length)) {
      // The one before may have been this, with a sign before it: `data=[105`.
      if (tokens === 0) listStart = otherStart < 0 ? tokenStart : otherStart;
      tokens += 1;
    } else if (length > 0) {
      // The last one may have been this, with a sign behind it.
      if (tokens >= tokenCountMin - 1) lists.push(listStart, position);
      tokens = 0;
      otherStart = tokenStart;
    }
    tokenStart = position + 1;
  }
  if (tokens >= tokenCountMin - 1) lists.push(listStart, text.length);
  if (runStart >= 0 && text.length - runStart >= runLengthMin) runs.push(runStart, text.length);
  const found = escapes.length + marks.length + mixed.length + runs.length + lists.length + rotated.length;
  if (found === 0 && (seen & beyondAscii) === 0) return null;
  return {
    escapes,
    marks,
    isAscii: (seen & beyondAscii) === 0,
    mixed,
    runs,
    lists,
    rotated,
  };
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
    const bits = (table[text.charCodeAt(position)] ?? 0) & 0xff;
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
  mark('<`*~\u001b', markup);
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
