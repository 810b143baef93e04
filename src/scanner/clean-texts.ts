// SPDX-License-Identifier: Apache-2.0

const lengthMax = 64;
const textsMax = 4096;

/** What of a scan decides which rules look at a text; a bit each. */
export type ScanMode = number;

/**
 * Short texts in which no rule found anything: names of members, words of an enumeration, units come
 * again in every message. Only what is the same for every place and time is kept, so a text that was
 * clean is clean. Bounded; holds clear text in memory and nowhere else.
 */
export class CleanTexts {
  /** Text -> the modes in which it was clean, one bit each. */
  private readonly modes = new Map<string, number>();

  has(text: string, mode: ScanMode): boolean {
    return text.length <= lengthMax && ((this.modes.get(text) ?? 0) & (1 << mode)) !== 0;
  }

  add(text: string, mode: ScanMode): void {
    if (text.length > lengthMax) return;
    // All at once: an attacker who fills it gains nothing, and nobody keeps an order for him.
    if (this.modes.size >= textsMax) this.modes.clear();
    this.modes.set(text, (this.modes.get(text) ?? 0) | (1 << mode));
  }
}
