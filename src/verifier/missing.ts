// SPDX-License-Identifier: Apache-2.0

type Range = { readonly from: number; readonly to: number };

const rangesMax = 1024;

/** Positions that were passed over and may still come. Bounded: the oldest are given up first. */
export class MissingPositions {
  readonly #givenUp: (from: number, to: number) => void;
  #ranges: Range[] = [];

  constructor(givenUp: (from: number, to: number) => void) {
    this.#givenUp = givenUp;
  }

  add(from: number, to: number): void {
    if (this.#ranges.length >= rangesMax) {
      const oldest = this.#ranges.shift();
      if (oldest !== undefined) this.#givenUp(oldest.from, oldest.to);
    }
    this.#ranges.push({ from, to });
  }

  /** Takes a position out; false when it was not missing. */
  fill(position: number): boolean {
    const at = this.#ranges.findIndex(({ from, to }) => from <= position && position < to);
    const range = this.#ranges[at];
    if (range === undefined) return false;
    const parts = [
      { from: range.from, to: position },
      { from: position + 1, to: range.to },
    ];
    this.#ranges.splice(at, 1, ...parts.filter(({ from, to }) => from < to));
    return true;
  }

  finish(): void {
    for (const { from, to } of this.#ranges) this.#givenUp(from, to);
    this.#ranges = [];
  }
}
