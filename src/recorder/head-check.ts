// SPDX-License-Identifier: Apache-2.0
import { openHead } from './head.ts';
import type { Head, RecorderKeys, SignedHead } from './head.ts';
import type { VerifyCode } from './verify.ts';

export type HeadInput = {
  readonly name: string;
  readonly heads: readonly SignedHead[];
  readonly keys: RecorderKeys;
};

type Report = (code: VerifyCode, sequence: number) => void;

/** Holds signed heads against the log: each against its position, and against one another. */
export class HeadCheck {
  readonly #bySize = new Map<number, Head[]>();
  readonly #report: Report;
  #largest = 0;
  #covered = 0;

  constructor(input: HeadInput, emptyHash: string, report: Report) {
    this.#report = report;
    const heads: Head[] = [];
    for (const signed of input.heads) {
      const head = openHead(signed, input.keys);
      if (head === null) report('RECORDER_HEAD_INVALID', 0);
      else if (head.log !== input.name) report('RECORDER_HEAD_FOREIGN', 0);
      else heads.push(head);
    }
    this.#compare(heads.sort((a, b) => a.at - b.at || a.size - b.size));
    this.#match(0, emptyHash);
  }

  /** Entries that the largest head which holds covers. */
  get covered(): number {
    return this.#covered;
  }

  /** Called for each accepted entry. */
  look(sequence: number, hash: string): void {
    this.#match(sequence + 1, hash);
  }

  finish(entries: number): void {
    if (this.#largest > entries) this.#report('RECORDER_TRUNCATED', entries);
    // A head whose position was passed without an entry there: the entry it signed was replaced.
    for (const size of this.#bySize.keys()) {
      if (size <= entries) this.#report('RECORDER_FORKED', size - 1);
    }
  }

  #compare(heads: readonly Head[]): void {
    for (const head of heads) {
      if (head.size < this.#largest) this.#report('RECORDER_REWOUND', head.size);
      this.#largest = Math.max(this.#largest, head.size);
      const others = this.#bySize.get(head.size) ?? [];
      this.#bySize.set(head.size, [...others, head]);
    }
  }

  #match(size: number, hash: string): void {
    const heads = this.#bySize.get(size);
    if (heads === undefined) return;
    this.#bySize.delete(size);
    for (const head of heads) {
      if (head.hash !== hash) this.#report('RECORDER_FORKED', Math.max(0, size - 1));
      else this.#covered = Math.max(this.#covered, size);
    }
  }
}
