// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import { givenUpMax, numberOf, rangesText } from '../recorder/entry-number.ts';

/** More than the spool holds; a series that does not get on is left, and another one begun. */
const openMax = 200_000;

/**
 * Numbers every entry that one run of a sidecar writes, so that the log shows which ones are missing.
 * Each entry also says up to which number all before it are settled: on record by the node's word, or
 * given up and named as such. So a verifier that misses one below it knows that it was dropped, and
 * what a crash of the sidecar left open is asserted by nobody. Costs no write and no question: the
 * number stands in the entry.
 */
export class EntryNumbers {
  readonly #run: string;
  #series = 0;
  #next = 0;
  /** Neither on record nor known to be given up, in ascending order. */
  readonly #open = new Set<number>();
  readonly #unsaid = new Set<number>();
  /** Numbers given up, by the number of the entry that says so. */
  readonly #said = new Map<number, readonly number[]>();
  /** Handed over on the present line, frame by frame, and not heard of yet. */
  #unheard: (readonly EntryDraft[])[] = [];
  #heard = 0;

  /** `run` is 26 characters that no other run of this sidecar has. */
  constructor(run: string) {
    this.#run = run;
  }

  /** The entry with its number; as it is where it has one. */
  numbered(draft: EntryDraft): EntryDraft {
    if (Object.hasOwn(draft.detail, 'writer')) return draft;
    if (this.#open.size >= openMax) this.#beginSeries();
    const number = this.#next;
    this.#next += 1;
    const givenUp = this.#unsaid.size === 0 ? '' : `/${this.#sayWith(number)}`;
    this.#open.add(number);
    const [settled = number] = this.#open;
    const writer = `${this.#runNow()}/${number}/${settled}${givenUp}`;
    return { ...draft, detail: { ...draft.detail, writer } };
  }

  /** The node says that they are on record. */
  settle(entries: readonly EntryDraft[]): void {
    for (const number of this.#ownNumbers(entries)) {
      this.#open.delete(number);
      this.#unsaid.delete(number);
      for (const other of this.#said.get(number) ?? []) this.#open.delete(other);
      this.#said.delete(number);
    }
  }

  /** They may be on record or not, and are not offered again. */
  giveUp(entries: readonly EntryDraft[]): void {
    for (const number of this.#ownNumbers(entries)) {
      if (!this.#open.has(number)) continue;
      for (const other of [...(this.#said.get(number) ?? []), number]) this.#unsaid.add(other);
      this.#said.delete(number);
    }
  }

  /** Sent on the present line in one frame, which is answered by a count and not by itself. */
  handed(entries: readonly EntryDraft[]): void {
    this.#unheard.push(entries);
  }

  /** So many frames of the present line, from the first on, are on record. */
  heard(frames: number): void {
    for (const entries of this.#unheard.splice(0, Math.max(0, frames - this.#heard))) this.settle(entries);
    this.#heard = Math.max(this.#heard, frames);
  }

  /** What was under way is on record or comes again under its number; nobody knows which. */
  lineLost(): void {
    for (const entries of this.#unheard) this.giveUp(entries);
    this.#unheard = [];
    this.#heard = 0;
  }

  #sayWith(number: number): string {
    const said = [...this.#unsaid].slice(0, givenUpMax).sort((a, b) => a - b);
    for (const other of said) this.#unsaid.delete(other);
    this.#said.set(number, said);
    return rangesText(said);
  }

  #beginSeries(): void {
    this.#series += 1;
    this.#next = 0;
    this.#open.clear();
    this.#said.clear();
    this.#unsaid.clear();
  }

  #runNow(): string {
    return this.#series === 0 ? this.#run : `${this.#run}.${this.#series}`;
  }

  #ownNumbers(entries: readonly EntryDraft[]): readonly number[] {
    const run = this.#runNow();
    return entries.flatMap((entry) => {
      const numbered = numberOf(entry);
      return numbered?.run === run ? [numbered.number] : [];
    });
  }
}
