// SPDX-License-Identifier: Apache-2.0
import { CauseCheck } from './cause-check.ts';
import { emptyTip, lineHash, parseEntryLine } from './chain.ts';
import type { RecordedEntry } from './entry.ts';
import { HeadCheck } from './head-check.ts';
import type { RecorderKeys, SignedHead } from './head.ts';

/** What can be wrong with a log; the meanings are in `recorderCodes`. */
export type VerifyCode =
  | 'RECORDER_LINE_INVALID'
  | 'RECORDER_ENTRY_EDITED'
  | 'RECORDER_ENTRY_REMOVED'
  | 'RECORDER_ENTRY_REORDERED'
  | 'RECORDER_ENTRY_DUPLICATED'
  | 'RECORDER_ENTRY_INSERTED'
  | 'RECORDER_CLOCK_BACK'
  | 'RECORDER_NAME_MISMATCH'
  | 'RECORDER_HEAD_INVALID'
  | 'RECORDER_HEAD_FOREIGN'
  | 'RECORDER_TRUNCATED'
  | 'RECORDER_FORKED'
  | 'RECORDER_REWOUND'
  | 'RECORDER_CAUSE_UNKNOWN';

export type VerifyFinding = {
  readonly code: VerifyCode;
  /** The position in the log that the finding is about. */
  readonly sequence: number;
  /** A `warn` does not make the log wrong. */
  readonly level: 'error' | 'warn';
};

export type VerifyReport = {
  /**
   * True when, and only when, every line is the canonical form of an entry, each links to the one
   * before it from the log's name on, and every head is genuine and holds.
   */
  readonly ok: boolean;
  /** Lines read. */
  readonly entries: number;
  /** The first ones, by position; the codes classify as well as bounded memory allows. */
  readonly findings: readonly VerifyFinding[];
  /** Findings in all, also those beyond the bound. */
  readonly findingsTotal: number;
  /** Causes too old for the bounded memory of ids: neither confirmed nor doubted. */
  readonly causesUnchecked: number;
  /** Entries that the newest good head covers; entries after it could be removed unseen. */
  readonly coveredByHead: number;
};

export type VerifyInput = {
  /** Name of the log, from its header. */
  readonly name: string;
  /** Raw lines from the start of the log, without line feeds. */
  readonly lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Signed heads of this log from anywhere outside it, in any order. */
  readonly heads: readonly SignedHead[];
  /** Public keys of the recorder by key id, from a place that the log's keeper does not control. */
  readonly keys: RecorderKeys;
  /** Findings kept in the report. Default 1000. */
  readonly findingsMax?: number;
  /** Ids remembered for the check of causes, about. Default 200,000. */
  readonly idsMax?: number;
};

/**
 * Reads a log once, in bounded memory, and says what was done to it. Without a head it proves only
 * that the log is one unbroken chain: whoever can write the whole log can write another such chain.
 */
export async function verifyLog(input: VerifyInput): Promise<VerifyReport> {
  const verifier = new LogVerifier(input);
  for await (const line of input.lines) verifier.push(line);
  return verifier.finish();
}

/** An entry of the main chain whose place may turn out to belong to another. */
type Link = { readonly expected: number; readonly previous: string };

type Range = { from: number; to: number };

const recentLinesMax = 4096;
const rangesMax = 1024;

/**
 * The verifier as a machine, for callers that have the lines at hand: `push` each, then `finish`.
 */
export class LogVerifier {
  readonly #findings: VerifyFinding[] = [];
  readonly #findingsMax: number;
  readonly #heads: HeadCheck;
  readonly #causes: CauseCheck;
  /** Hash of the line accepted at each of the latest positions: tells a copy from a forgery. */
  readonly #recent = new Map<number, string>();
  /** Positions passed over so far. */
  readonly #missing: Range[] = [];
  /** Positions of lines that stood too early: moved, if nothing else came there, or put in. */
  readonly #early = new Set<number>();
  #findingsTotal = 0;
  #errors = 0;
  #lines = 0;
  #invalid = 0;
  #main: Link;
  /** Where the chain stood before the last jump forward, in case the jump was the forgery. */
  #beforeJump: Link | null = null;
  /** Hashes of other lines that claimed the position of the last accepted one. */
  #rivals: string[] = [];
  #recordedAt = 0;

  constructor(input: Omit<VerifyInput, 'lines'>) {
    const start = emptyTip(input.name);
    this.#main = { expected: 0, previous: start.previous };
    this.#findingsMax = input.findingsMax ?? 1000;
    const report = (code: VerifyCode, sequence: number) => this.#report(code, sequence);
    this.#heads = new HeadCheck(input, start.previous, report);
    this.#causes = new CauseCheck(input.idsMax ?? 200_000, report);
  }

  push(line: Uint8Array): void {
    this.#lines += 1;
    const entry = parseEntryLine(line);
    if (entry === null) {
      this.#report('RECORDER_LINE_INVALID', this.#main.expected + this.#invalid);
      this.#invalid += 1;
      return;
    }
    const hash = lineHash(line);
    if (entry.sequence < this.#main.expected) this.#outOfPlace(entry, hash);
    else this.#inPlace(entry, hash);
    this.#causes.look(entry);
  }

  finish(): VerifyReport {
    for (const { from, to } of this.#missing) {
      for (let sequence = from; sequence < to; sequence += 1) {
        if (sequence - from >= this.#findingsMax) {
          this.#findingsTotal += to - sequence;
          break;
        }
        const moved = this.#early.delete(sequence);
        this.#report(moved ? 'RECORDER_ENTRY_REORDERED' : 'RECORDER_ENTRY_REMOVED', sequence);
      }
    }
    for (const sequence of this.#early) {
      const moved = sequence >= this.#main.expected;
      this.#report(moved ? 'RECORDER_ENTRY_REORDERED' : 'RECORDER_ENTRY_INSERTED', sequence);
    }
    this.#heads.finish(this.#main.expected + this.#invalid);
    const findings = this.#findings.sort((a, b) => a.sequence - b.sequence);
    return {
      ok: this.#errors === 0,
      entries: this.#lines,
      findings,
      findingsTotal: this.#findingsTotal,
      causesUnchecked: this.#causes.unchecked,
      coveredByHead: this.#heads.covered,
    };
  }

  /** A line whose position is still to come: the next one, or one further on. */
  #inPlace(entry: RecordedEntry, hash: string): void {
    const { expected, previous } = this.#main;
    const linked = entry.previous === previous || this.#rivals.includes(entry.previous);
    if (entry.sequence === expected && linked) {
      // Invalid lines before it were put in: the chain passes them by.
      this.#invalid = 0;
    } else if (this.#invalid > 0 && entry.sequence === expected + this.#invalid) {
      // Invalid lines before it stand in the place of true ones, and were reported.
      this.#invalid = 0;
    } else if (entry.sequence === expected) {
      this.#invalid = 0;
      if (expected === 0) this.#report('RECORDER_NAME_MISMATCH', 0);
      else this.#report('RECORDER_ENTRY_EDITED', expected - 1);
    } else {
      const from = expected + this.#invalid;
      this.#invalid = 0;
      if (from < entry.sequence) this.#miss({ from, to: entry.sequence });
      else this.#report('RECORDER_ENTRY_EDITED', expected);
      this.#accept(entry, hash);
      this.#beforeJump = { expected, previous };
      return;
    }
    this.#accept(entry, hash);
  }

  #accept(entry: RecordedEntry, hash: string): void {
    if (entry.recordedAt < this.#recordedAt) this.#report('RECORDER_CLOCK_BACK', entry.sequence);
    this.#recordedAt = entry.recordedAt;
    this.#main = { expected: entry.sequence + 1, previous: hash };
    this.#beforeJump = null;
    this.#rivals = [];
    this.#recent.set(entry.sequence, hash);
    this.#recent.delete(entry.sequence - recentLinesMax);
    this.#heads.look(entry.sequence, hash);
  }

  /** A line whose position has passed: a copy, a line from elsewhere, or one put in. */
  #outOfPlace(entry: RecordedEntry, hash: string): void {
    const { sequence } = entry;
    const jump = this.#beforeJump;
    if (this.#recent.get(sequence) === hash) {
      this.#report('RECORDER_ENTRY_DUPLICATED', sequence);
      return;
    }
    if (jump !== null && sequence === jump.expected && entry.previous === jump.previous) {
      // The chain goes on from before the jump: the line that jumped does not belong there.
      this.#undoJump(entry, hash);
      return;
    }
    if (this.#fill(sequence)) {
      this.#report('RECORDER_ENTRY_REORDERED', sequence);
      return;
    }
    if (sequence === this.#main.expected - 1 && this.#rivals.length < 16) this.#rivals.push(hash);
    this.#report('RECORDER_ENTRY_INSERTED', sequence);
  }

  #undoJump(entry: RecordedEntry, hash: string): void {
    const jumped = this.#main.expected - 1;
    const range = this.#missing.at(-1);
    if (range?.to === jumped) this.#missing.pop();
    this.#recent.delete(jumped);
    if (this.#early.size < rangesMax) this.#early.add(jumped);
    else this.#report('RECORDER_ENTRY_INSERTED', jumped);
    this.#recordedAt = 0;
    this.#accept(entry, hash);
  }

  #miss(range: Range): void {
    const oldest = this.#missing.length >= rangesMax ? this.#missing.shift() : undefined;
    if (oldest !== undefined) this.#report('RECORDER_ENTRY_REMOVED', oldest.from);
    this.#missing.push(range);
  }

  /** Takes a position out of the missing ones; false when it was not missing. */
  #fill(sequence: number): boolean {
    const index = this.#missing.findIndex(({ from, to }) => from <= sequence && sequence < to);
    const range = this.#missing[index];
    if (range === undefined) return false;
    const parts: Range[] = [
      { from: range.from, to: sequence },
      { from: sequence + 1, to: range.to },
    ];
    this.#missing.splice(index, 1, ...parts.filter(({ from, to }) => from < to));
    return true;
  }

  #report(code: VerifyCode, sequence: number): void {
    const level = code === 'RECORDER_CAUSE_UNKNOWN' ? 'warn' : 'error';
    if (level === 'error') this.#errors += 1;
    this.#findingsTotal += 1;
    if (this.#findings.length < this.#findingsMax) this.#findings.push({ code, sequence, level });
  }
}
