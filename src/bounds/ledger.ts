// SPDX-License-Identifier: Apache-2.0
import type { BreakerState } from './breaker.ts';

/** What one allotment added to one sum, so that it can be taken back from the same slice. */
export type Charged = {
  readonly key: string;
  /** When the slice ends; two slices of one key never end together. */
  readonly endMs: number;
  readonly units: number;
};

/**
 * An amount handed out to one call, kept while the call may run or may have run. Requests with one
 * idempotency key and one amount share it; it is given back when none of them may have run.
 */
export type Allotment = {
  readonly id: string;
  /** Who would run the call; empty for a note that is no allotment. */
  readonly executor: string;
  /** Ids of the requests that hold it. */
  readonly holders: readonly string[];
  readonly charged: readonly Charged[];
};

/**
 * The state of all bounds of one mesh. Only seen inside of `LedgerStore.change`; nothing here throws
 * unless the store is broken.
 */
export interface Ledger {
  /** Units charged to a key in slices that end after `sinceMs`. NaN refuses. */
  sum(key: string, sinceMs: number): number;
  /** The slice is forgotten at `keepUntilMs`. */
  add(charged: Charged, keepUntilMs: number): void;
  /** Nothing happens where the slice is forgotten; negative units stand for putting them back. */
  takeBack(charged: Charged): void;
  allotment(id: string): Allotment | null;
  /** All that a request holds; asked only when a person settles a call. */
  heldBy(holder: string): readonly Allotment[];
  saveAllotment(allotment: Allotment, keepUntilMs: number): void;
  dropAllotment(id: string): void;
  breaker(key: string): BreakerState | null;
  saveBreaker(key: string, state: BreakerState): void;
  /** Until when a person has let this key go beyond its share; 0 when nobody has. */
  releasedUntilMs(key: string): number;
  release(key: string, untilMs: number): void;
  /** The latest time that was noted, 0 at first; time here never goes back. */
  latestMs(): number;
  noteTime(nowMs: number): void;
}

/** What may be read of a ledger at any time. */
export type LedgerView = Pick<Ledger, 'sum' | 'breaker' | 'latestMs'>;

/**
 * Keeps the ledger of one owner; the owner is its only writer. `change` runs one piece of work
 * against it, alone, and resolves with its value once everything the work did survives `kill -9`; it
 * rejects, and nothing of the work was done, when the work throws or the disk fails. The work may be
 * run twice, the first time undone: it does nothing but call the ledger.
 */
export interface LedgerStore {
  change<Value>(work: (ledger: Ledger) => Value): Promise<Value>;
  readonly view: LedgerView;
  /** Forgets what no sum needs any more. */
  prune(nowMs: number): Promise<void>;
}
