// SPDX-License-Identifier: Apache-2.0
import type { Entry } from './entry.ts';
import type { Findings } from './findings.ts';

/**
 * Looks whether each named cause was recorded before. Ids are kept in two generations; a cause that
 * is older than they reach is neither confirmed nor doubted, only counted.
 */
export class Causes {
  readonly #idsMax: number;
  readonly #findings: Findings;
  #younger = new Set<string>();
  #older = new Set<string>();
  #forgot = false;
  #unchecked = 0;

  constructor(idsMax: number, findings: Findings) {
    this.#idsMax = Math.max(2, idsMax);
    this.#findings = findings;
  }

  get unchecked(): number {
    return this.#unchecked;
  }

  look({ id, message, causedBy, sequence }: Entry): void {
    // An entry may name its own message: the message came before the step that it is about.
    if (message !== null) this.#add(message);
    for (const cause of causedBy) {
      if (this.#younger.has(cause) || this.#older.has(cause)) continue;
      if (this.#forgot) this.#unchecked += 1;
      else this.#findings.add('VERIFY_CAUSE_UNKNOWN', sequence);
    }
    this.#add(id);
  }

  #add(id: string): void {
    this.#younger.add(id);
    if (this.#younger.size < this.#idsMax / 2) return;
    if (this.#older.size > 0) this.#forgot = true;
    this.#older = this.#younger;
    this.#younger = new Set();
  }
}
