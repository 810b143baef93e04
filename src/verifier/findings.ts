// SPDX-License-Identifier: Apache-2.0
import type { VerifyCode } from './codes.ts';

export type VerifyFinding = {
  readonly code: VerifyCode;
  /** The position in the log that the finding is about. */
  readonly sequence: number;
  /** A `warn` does not make the log wrong. */
  readonly level: 'error' | 'warn';
};

const warnings: ReadonlySet<VerifyCode> = new Set([
  'VERIFY_CAUSE_UNKNOWN',
  // A crash between the gate's own note and the record leaves an end without a beginning.
  'VERIFY_CALL_UNANNOUNCED',
  'VERIFY_LINE_INCOMPLETE',
  // Entries that a crash took along leave the same gap.
  'VERIFY_WRITER_LOST',
]);

/** Collects what is wrong, the first ones by name and all of them by number. */
export class Findings {
  readonly #kept: VerifyFinding[] = [];
  readonly #keptMax: number;
  #total = 0;
  #errors = 0;

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  get total(): number {
    return this.#total;
  }

  get errors(): number {
    return this.#errors;
  }

  add(code: VerifyCode, sequence: number, times = 1): void {
    const level = warnings.has(code) ? 'warn' : 'error';
    if (level === 'error') this.#errors += times;
    this.#total += times;
    if (this.#kept.length < this.#keptMax) this.#kept.push({ code, sequence, level });
  }

  /** What was taken for one thing turns out to be another. At every position, or at one. */
  amend(from: VerifyCode, to: VerifyCode, sequence: number | null): void {
    for (const [at, found] of this.#kept.entries()) {
      if (found.code !== from || (sequence !== null && found.sequence !== sequence)) continue;
      this.#kept[at] = { ...found, code: to };
    }
  }

  /** By position; a run of the same at one place stands once. */
  inOrder(): readonly VerifyFinding[] {
    return this.#kept
      .toSorted((a, b) => a.sequence - b.sequence)
      .filter(({ code, sequence }, at, all) => {
        const before = all[at - 1];
        return before?.code !== code || before.sequence !== sequence;
      });
  }
}
