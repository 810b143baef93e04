// SPDX-License-Identifier: Apache-2.0
import { ulidTimeMs } from '../message/identifiers.ts';
import type { RecordedEntry } from './entry.ts';
import type { VerifyCode } from './verify.ts';

/**
 * Looks whether each named cause was recorded before. Ids are kept in two generations; what is
 * older than they reach is neither confirmed nor doubted, only counted.
 */
export class CauseCheck {
  readonly #idsMax: number;
  readonly #report: (code: VerifyCode, sequence: number) => void;
  #younger = new Set<string>();
  #older = new Set<string>();
  /** Ids minted up to here may have been forgotten. */
  #forgottenUntil = -1;
  #youngerUntil = 0;
  #olderUntil = 0;
  #unchecked = 0;

  constructor(idsMax: number, report: (code: VerifyCode, sequence: number) => void) {
    this.#idsMax = Math.max(2, idsMax);
    this.#report = report;
  }

  get unchecked(): number {
    return this.#unchecked;
  }

  look(entry: RecordedEntry): void {
    // An entry may name its own message: the message came before the step that it is about.
    if (entry.message !== null) this.#add(entry.message, entry.recordedAt);
    for (const cause of entry.causedBy) {
      if (this.#younger.has(cause) || this.#older.has(cause)) continue;
      const mintedAt = ulidTimeMs(cause.slice(0, 26)) ?? 0;
      if (mintedAt <= this.#forgottenUntil) this.#unchecked += 1;
      else this.#report('RECORDER_CAUSE_UNKNOWN', entry.sequence);
    }
    this.#add(entry.id, entry.recordedAt);
  }

  #add(id: string, recordedAt: number): void {
    this.#younger.add(id);
    this.#youngerUntil = Math.max(this.#youngerUntil, recordedAt);
    if (this.#younger.size < this.#idsMax / 2) return;
    if (this.#older.size > 0) this.#forgottenUntil = this.#olderUntil;
    this.#older = this.#younger;
    this.#olderUntil = this.#youngerUntil;
    this.#younger = new Set();
  }
}
