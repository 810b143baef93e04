// SPDX-License-Identifier: Apache-2.0
import { fromBase64, textOf } from './bytes.ts';
import type { Entry } from './entry.ts';
import type { Findings } from './findings.ts';
import { hashLength } from './tree.ts';

/** An entry of the log that says which entries were taken out of it, by whose order. */
export type PruneRecord = {
  /** Where it stands. */
  readonly sequence: number;
  readonly order: string;
  readonly operator: string;
  readonly reason: string;
  /** Entries that it names. */
  readonly entries: number;
};

const pattern = /^\{"pruned":"([A-Za-z0-9+/]{43}=)"\}$/;
const recordsMax = 1000;

/** The hash that stands in the place of a pruned entry; null for any other line. */
export function prunedHash(bytes: Uint8Array): Uint8Array | null {
  // An entry begins with another letter: this runs for every one of them.
  if (bytes[2] !== 0x70 || bytes.length > 64) return null;
  const [, text = ''] = pattern.exec(textOf(bytes) ?? '') ?? [];
  const hash = fromBase64(text);
  return hash?.length === hashLength ? hash : null;
}

/**
 * Holds the places where an entry was taken out against the records that say so. A bit for each place:
 * ten million entries take a megabyte and a quarter.
 */
export class Pruned {
  readonly #taken = new Bits();
  readonly #named = new Bits();
  readonly #records: { readonly record: PruneRecord; readonly ranges: Range[] }[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(position: number): void {
    this.#taken.set(position);
    this.#count += 1;
  }

  /** Looks whether an entry is a record of pruning. */
  look(entry: Entry): void {
    if (entry.kind !== 'record.pruned') return;
    const { sequence, detail } = entry;
    const ranges = rangesIn(detail['ranges'], sequence);
    const text = (name: string): string => {
      const value = detail[name];
      return typeof value === 'string' ? value : '';
    };
    const entries = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    const record = {
      sequence, order: text('order'), operator: text('operator'), reason: text('reason'), entries,
    };
    this.#records.push({ record, ranges });
  }

  /**
   * Reports every place without a record. Only a record under a signed checkpoint counts: anybody who
   * can write the files can add one behind it. Returns the records that count.
   */
  finish(covered: number, findings: Findings): readonly PruneRecord[] {
    const good = this.#records.filter(({ record }) => record.sequence < covered);
    for (const { ranges } of good) {
      for (const [from, to] of ranges) {
        for (let at = from; at < to; at += 1) this.#named.set(at);
      }
    }
    this.#taken.eachNotIn(this.#named, (position) => findings.add('VERIFY_PRUNED_UNRECORDED', position));
    return good.slice(0, recordsMax).map(({ record }) => record);
  }
}

type Range = readonly [from: number, to: number];

/** A record names what lies before it; anything else in it is not believed. */
function rangesIn(value: unknown, sequence: number): Range[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((range: unknown): Range[] => {
    if (!Array.isArray(range)) return [];
    const from: unknown = range[0];
    const to: unknown = range[1];
    const fits =
      typeof from === 'number' && typeof to === 'number' && Number.isSafeInteger(from) &&
      Number.isSafeInteger(to) && from >= 0 && from < to && to <= sequence;
    return fits ? [[from, to]] : [];
  });
}

class Bits {
  #words = new Uint8Array(1024);

  set(at: number): void {
    const byte = at >>> 3;
    if (byte >= this.#words.length) {
      const larger = new Uint8Array(Math.max(byte + 1, this.#words.length * 2));
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[byte] = (this.#words[byte] ?? 0) | (1 << (at & 7));
  }

  eachNotIn(other: Bits, tell: (at: number) => void): void {
    for (const [byte, word] of this.#words.entries()) {
      const left = word & ~(other.#words[byte] ?? 0);
      for (let bit = 0; left >>> bit > 0; bit += 1) if ((left >>> bit) & 1) tell(byte * 8 + bit);
    }
  }
}
