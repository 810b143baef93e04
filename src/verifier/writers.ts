// SPDX-License-Identifier: Apache-2.0
import type { Entry } from './entry.ts';
import type { Findings } from './findings.ts';

type Numbers = {
  /** All below are accounted for, or were missed. */
  from: number;
  /** Those from there on that are on record, or that the log says are rightly not. */
  readonly seen: Set<number>;
  last: number;
};

/** Runs followed at the same time; of each one the numbers above what it says is settled. */
const runsMax = 4096;
const seenMax = 1_000_000;
const rangeMax = 10_000_000;
const pattern = /^([0-9A-Z]{26}(?:\.\d{1,9})?)\/(\d{1,15})\/(\d{1,15})(?:\/([\d,-]{1,1024}))?$/;

/**
 * Follows the numbers that the sidecars give to what they write. Each entry says up to which number
 * everything before it is settled: on record by the node's word, given up and named, or counted in a
 * digest. One below it that the log does not hold was dropped after that word was given. Numbers above
 * it prove nothing: they may be under way, or went with a crash.
 */
export class Writers {
  readonly #findings: Findings;
  readonly #runs = new Map<string, Numbers>();
  /** The newest run of each writer. */
  readonly #newest = new Map<string, Numbers>();
  #seen = 0;
  /** Something was forgotten: a run that is new here may have begun long ago. */
  #forgot = false;
  #pruned = 0;
  #unchecked = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Numbers that nobody could look for any more, since entries were pruned. */
  get unchecked(): number {
    return this.#unchecked;
  }

  /** What was taken out may have had a number. */
  pruned(): void {
    this.#pruned += 1;
  }

  look(entry: Entry): void {
    const { writer, kind, actor } = entry;
    if (writer !== null) this.#written(writer, entry);
    else if ((kind === 'record.repeated' || kind === 'refusals.counted') && actor === 'node') {
      this.#leftOut(entry.detail['writers']);
    }
  }

  /**
   * Of a run that another one followed nothing is under way any more. What is missing among its last
   * numbers went with it, or was dropped: nobody can tell, and it is said.
   */
  finish(): void {
    const newest = new Set(this.#newest.values());
    for (const numbers of this.#runs.values()) {
      const { seen, from, last } = numbers;
      if (newest.has(numbers) || last < 0 || seen.size === 0) continue;
      let end = from;
      for (const number of seen) end = Math.max(end, number + 1);
      const missing = end - from - seen.size;
      const doubtful = Math.min(missing, this.#pruned);
      this.#unchecked += doubtful;
      if (missing > doubtful) this.#findings.add('VERIFY_WRITER_LOST', last, missing - doubtful);
    }
  }

  #written(writer: string, { actor, sequence }: Entry): void {
    const [, run = '', ownText = '', settledText = '', givenUp = ''] = pattern.exec(writer) ?? [];
    const own = Number(ownText);
    const settled = Number(settledText);
    if (run === '' || settled > own) return this.#findings.add('VERIFY_WRITER_INVALID', sequence);
    const name = nameIn(actor);
    const numbers = this.#numbersOf(`${name} ${run}`, settled);
    if (numbers.last < 0) this.#newest.set(name, numbers);
    numbers.last = sequence;
    this.#see(numbers, own);
    this.#seeRanges(numbers, givenUp);
    if (settled > numbers.from) this.#settle(numbers, settled, sequence);
  }

  #settle(numbers: Numbers, settled: number, sequence: number): void {
    const { seen, from } = numbers;
    const before = seen.size;
    // The shorter way: a log may claim any number.
    if (settled - from <= before) for (let number = from; number < settled; number += 1) seen.delete(number);
    else for (const number of seen) if (number < settled) seen.delete(number);
    const there = before - seen.size;
    this.#seen -= there;
    const missing = settled - numbers.from - there;
    numbers.from = settled;
    if (missing === 0) return;
    // As many as were pruned may be among those.
    const doubtful = Math.min(missing, this.#pruned);
    this.#pruned -= doubtful;
    this.#unchecked += doubtful;
    if (missing > doubtful) this.#findings.add('VERIFY_WRITER_GAP', sequence, missing - doubtful);
  }

  #leftOut(writers: unknown): void {
    if (typeof writers !== 'object' || writers === null) return;
    for (const [writer, ranges] of Object.entries(writers)) {
      if (typeof ranges === 'string') this.#seeRanges(this.#numbersOf(writer, 0), ranges);
    }
  }

  #seeRanges(numbers: Numbers, text: string): void {
    if (text === '') return;
    for (const range of text.split(',')) {
      const [from = Number.NaN, to = from] = range.split('-').map(Number);
      if (!(to - from < rangeMax)) continue;
      for (let number = from; number <= to; number += 1) this.#see(numbers, number);
    }
  }

  #see(numbers: Numbers, number: number): void {
    if (number < numbers.from || numbers.seen.has(number)) return;
    if (this.#seen >= seenMax) this.#forget();
    numbers.seen.add(number);
    this.#seen += 1;
  }

  #numbersOf(writer: string, settled: number): Numbers {
    const known = this.#runs.get(writer);
    if (known !== undefined) return known;
    if (this.#runs.size >= runsMax) this.#forget();
    const numbers = { from: this.#forgot ? settled : 0, seen: new Set<number>(), last: -1 };
    this.#runs.set(writer, numbers);
    return numbers;
  }

  /** Bounded, whatever a log says of itself: what is followed begins anew where each run stands then. */
  #forget(): void {
    this.#forgot = true;
    this.#unchecked += this.#seen;
    this.#runs.clear();
    this.#newest.clear();
    this.#seen = 0;
  }
}

/** `sidecar:payments` and `agent:payments` are one writer. */
function nameIn(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}
