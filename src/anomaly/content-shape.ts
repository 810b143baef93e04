// SPDX-License-Identifier: Apache-2.0

/** Kinds of characters: control, letters by case, digits, space, quotes and brackets, what addresses and code are made of, the rest. */
const kinds = 12;
/** Characters that are looked at, spread over the text: the cost of one message does not grow with it. */
const lookedAt = 512;
/** Messages that make the reference before a distance says anything, and those that it follows after. */
const learnedFrom = 32;
const learnedUpTo = 256;
const followed = 4_096;

const kindOf = kindsOfAscii();
const beyondAscii = kinds - 1;

/**
 * How far each text of one agent is from what its texts are usually made of: the share of characters that would
 * have to be of another kind, 0 to 1. Nothing of a text is kept but a mean over kinds of characters. One process of
 * a sidecar has one; a new one learns anew. The agent chooses the text, and can move the mean by a 4,096th with each.
 */
export class ContentShape {
  readonly #mean = new Float64Array(kinds);
  readonly #seen = new Float64Array(kinds);
  #count = 0;

  /** Null while too little is known, and for a text of nothing. */
  distance(text: string): number | null {
    const looked = this.#look(text);
    if (looked === 0) return null;
    this.#count = Math.min(this.#count + 1, followed);
    let apart = 0;
    const share = 1 / (this.#count <= learnedUpTo ? this.#count : followed);
    for (let kind = 0; kind < kinds; kind += 1) {
      const now = (this.#seen[kind] ?? 0) / looked;
      const mean = this.#mean[kind] ?? 0;
      apart += Math.abs(now - mean);
      this.#mean[kind] = mean + share * (now - mean);
    }
    return this.#count <= learnedFrom ? null : Math.round(apart * 500) / 1_000;
  }

  #look(text: string): number {
    this.#seen.fill(0);
    const step = Math.max(1, Math.floor(text.length / lookedAt));
    let looked = 0;
    for (let at = 0; at < text.length && looked < lookedAt; at += step) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? (kindOf[code] ?? 0) : beyondAscii;
      this.#seen[kind] = (this.#seen[kind] ?? 0) + 1;
      looked += 1;
    }
    return looked;
  }
}

function kindsOfAscii(): Uint8Array {
  const found = new Uint8Array(128);
  const groups = [/ /, /[aeiouy]/, /[a-z]/, /[AEIOUY]/, /[A-Z]/, /[0-9]/, /["'`]/, /[{}[\]():,]/, /[.!?;]/, /./];
  for (let code = 0; code < 128; code += 1) {
    const isControl = code < 32 || code === 127;
    found[code] = isControl ? 0 : 1 + groups.findIndex((group) => group.test(String.fromCharCode(code)));
  }
  return found;
}
