// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import type { EntryDraft } from './entry.ts';

/**
 * The place of an entry among all that one run of a sidecar writes. It stands in the entry's detail,
 * as `writer`: `RUN/NUMBER/SETTLED`, and behind another slash the numbers that were given up.
 */
export type EntryNumber = {
  /** Who wrote it: the name of the agent. */
  readonly name: string;
  readonly run: string;
  /** From 0, without gaps. */
  readonly number: number;
  /** Numbers that this entry says were given up; no more than one may name. */
  readonly givenUp: readonly number[];
};

const pattern = /^([0-9A-Z]{26}(?:\.\d{1,9})?)\/(\d{1,15})\/\d{1,15}(?:\/([\d,-]{1,1024}))?$/;
/** Numbers given up that one entry may name. */
export const givenUpMax = 64;

/** Null for an entry that has no number, or none of this form. */
export function numberOf({ actor, detail }: Pick<EntryDraft, 'actor' | 'detail'>): EntryNumber | null {
  const { writer } = detail;
  if (typeof writer !== 'string') return null;
  const [, run = '', number = '', givenUp = ''] = pattern.exec(writer) ?? [];
  if (run === '') return null;
  const name = actor.slice(actor.indexOf(':') + 1);
  return { name, run, number: Number(number), givenUp: numbersOf(givenUp) };
}

/** What `rangesText` wrote, as far as one entry may say it: a sidecar chooses the text. */
function numbersOf(ranges: string): readonly number[] {
  const numbers: number[] = [];
  for (const range of ranges === '' ? [] : ranges.split(',')) {
    const [from = '', to = from] = range.split('-');
    for (let number = Number(from); number <= Number(to) && numbers.length < givenUpMax; number += 1) {
      numbers.push(number);
    }
  }
  return numbers;
}

/** Numbers in ascending order, as ranges: `3,7-9`. */
export function rangesText(numbers: readonly number[]): string {
  const ranges: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    const from = numbers[at] ?? 0;
    let end = at;
    while (numbers[end + 1] === (numbers[end] ?? 0) + 1) end += 1;
    const to = numbers[end] ?? from;
    ranges.push(from === to ? String(from) : `${from}-${to}`);
    at = end + 1;
  }
  return ranges.join(',');
}

/** Of one writer in one digest; beyond it the numbers between the last ones are taken along. */
const rangesMax = 16;
/** With so many the digest is still well below the largest entry. */
const writersMax = 128;

/**
 * Numbers of entries that are rightly not in the log: counted in a digest, or recorded before under
 * another number. The log says which, or they would look like entries that were dropped.
 */
export class NumbersLeftOut {
  #numbers = new Map<string, Set<number>>();

  get isEmpty(): boolean {
    return this.#numbers.size === 0;
  }

  /** False when it takes no more writers; then it has to be written first. */
  add(draft: EntryDraft): boolean {
    const numbered = numberOf(draft);
    if (numbered === null) return true;
    const writer = `${numbered.name} ${numbered.run}`;
    const known = this.#numbers.get(writer);
    if (known === undefined && this.#numbers.size >= writersMax) return false;
    const numbers = known ?? new Set();
    // What it says of others is left out with it, and nobody says it again.
    for (const number of [numbered.number, ...numbered.givenUp]) numbers.add(number);
    this.#numbers.set(writer, numbers);
    return true;
  }

  /** Takes everything out: what is put back after a failed write comes again with the next one. */
  take(): NumbersLeftOut {
    const taken = new NumbersLeftOut();
    taken.#numbers = this.#numbers;
    this.#numbers = new Map();
    return taken;
  }

  putBack(taken: NumbersLeftOut): void {
    for (const [writer, numbers] of taken.#numbers) {
      this.#numbers.set(writer, new Set([...numbers, ...(this.#numbers.get(writer) ?? [])]));
    }
  }

  /** `{"NAME RUN": "3,7-9"}`. */
  toJson(): JsonObject {
    return Object.fromEntries([...this.#numbers].map(([writer, numbers]) => {
      const ranges = rangesText([...numbers].sort((a, b) => a - b)).split(',');
      const rest = ranges.slice(rangesMax - 1);
      const [first = ''] = rest;
      const last = rest.at(-1) ?? '';
      const tail = rest.length < 2 ? rest : [`${first.split('-')[0]}-${last.split('-').at(-1)}`];
      return [writer, [...ranges.slice(0, rangesMax - 1), ...tail].join(',')];
    }));
  }
}
