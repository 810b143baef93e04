// SPDX-License-Identifier: Apache-2.0

/** Views of one text that are made at most; the text itself is one. */
export const viewsMax = 64;
/** Encodings inside one another that are undone. */
export const depthMax = 6;
/** Each inflation takes some 30 us to set up, however little is in it. */
const inflationsMax = 6;
const inflatedBytesMax = 65_536;
const charactersMin = 20_480;
const replacementsMin = 4500;
const attemptsMin = 1000;

/**
 * What undoing the encodings of all texts of one scan may cost. An attacker chooses every input;
 * what the budget does not cover is not looked at, and `exhausted` says so.
 */
export class DecodeBudget {
  exhausted = false;
  private characters = charactersMin;
  private replacements = replacementsMin;
  private attempts = attemptsMin;
  private inflations = inflationsMax;

  /** `length` is that of the text, in UTF-16 units. */
  constructor(length: number) {
    this.allow(length);
  }

  /** What one more text of this length adds: many short texts are ordinary. */
  allow(length: number): void {
    this.characters += Math.floor(length * 0.8);
    this.replacements += Math.floor(length / 24);
    this.attempts += Math.floor(length / 64);
  }

  /** Pays for one more view of so many characters. */
  takeCharacters(count: number): boolean {
    this.characters -= count;
    if (this.characters < 0) this.exhausted = true;
    return this.characters >= 0;
  }

  takeReplacement(): boolean {
    this.replacements -= 1;
    if (this.replacements < 0) this.exhausted = true;
    return this.replacements >= 0;
  }

  /** Pays for a look at one run of characters that may be code. */
  takeAttempt(): boolean {
    this.attempts -= 1;
    if (this.attempts < 0) this.exhausted = true;
    return this.attempts >= 0;
  }

  /** Bytes that one inflation may give; 0 when there may be none. */
  takeInflation(): number {
    this.inflations -= 1;
    if (this.inflations >= 0) return Math.min(inflatedBytesMax, Math.max(1, this.characters));
    this.exhausted = true;
    return 0;
  }
}
