// SPDX-License-Identifier: Apache-2.0

/** Deterministic, so that a run can be repeated with its seed. */
export function seeded(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Secrets and personal data of many forms. Every one holds one of two marks, letters or digits, that
 * stand nowhere else, so that a trace of any of them is found by looking for the marks.
 */
export class PlantedSecrets {
  readonly letters: string;
  readonly digits: string;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    this.letters = `QXZJ${this.#pick('BCDFGHKMNP', 4)}`;
    // So long that no trace id holds it by chance: eight digits stood in one of some hundred runs.
    this.digits = `7391${this.#pick('0123456789', 8)}`;
  }

  next(): string {
    const { letters, digits } = this;
    const word = this.#pick('ABCDEFGHKMNPRSTVWXYZ234567', 8);
    const number = this.#pick('0123456789', 4);
    const forms = [
      `AKIA${letters}${word}`,
      `ghp_${letters.toLowerCase()}${word}${this.#pick('abcdefghij', 20)}`,
      `sk-live-${letters}${word}`,
      `${letters.toLowerCase()}.${word.toLowerCase()}@example.org`,
      `+49 ${digits}${number}`,
      `DE21${digits}${number}00`,
      `4${digits}${number}123`,
      `Erika ${letters}-${word}`,
      `password=${letters}${word}`,
      `-----BEGIN PRIVATE KEY-----${letters}${word}`,
    ];
    return forms[Math.floor(this.#random() * forms.length)] ?? letters;
  }

  /** Where in a text a mark stands, with what is around it; null where none does. */
  foundIn(text: string): string | null {
    for (const mark of [this.letters, this.digits]) {
      const at = text.search(new RegExp(mark, 'i'));
      if (at >= 0) return `${text.slice(Math.max(0, at - 300), at)} >>> ${text.slice(at, at + 60)}`;
    }
    return null;
  }

  #pick(from: string, count: number): string {
    let text = '';
    while (text.length < count) text += from.charAt(Math.floor(this.#random() * from.length));
    return text;
  }
}
