// SPDX-License-Identifier: Apache-2.0
import type { Audience } from './access.ts';
import type { KnowledgeCode } from './codes.ts';
import type { ItemFacts, ItemState, StoredItem } from './item.ts';

/** Somebody who read or wrote an item, in the order of `position`. */
export type Trail = {
  readonly position: number;
  readonly incarnation: string;
  readonly item: string;
  /** The read that gave it; null for a write. */
  readonly call: string | null;
};

/** Longer than any task may last: what somebody was given can be looked at while it matters. */
export const supersededKeptMs = 8 * 24 * 3_600_000;

export type Find = {
  readonly shelf: string;
  /** Null: of every task. */
  readonly task: string | null;
  /** All of them must stand at the item. */
  readonly terms: readonly string[];
  /** Entries that end at or before this are over. */
  readonly nowMs: number;
  readonly limit: number;
};

/**
 * Kept items, sealed, and who read and wrote them. Nothing in it opens without a key that the `Kms`
 * unwraps. Every method rejects when the store fails; what is resolved is durable.
 */
export interface ItemStore {
  /**
   * All or none; `supersedes` are older items that the new ones replace, in the same step. What a barred run
   * wrote is quarantined from the first.
   */
  add(items: readonly StoredItem[], supersedes?: readonly string[]): Promise<void>;
  get(id: string): Promise<StoredItem | null>;
  /** Current items, newest first. */
  find(asked: Find): Promise<readonly StoredItem[]>;
  /**
   * Items of a shelf that are not quarantined or superseded and that `maySee` admits, nearest first, with
   * their similarity. What it does not admit takes no place in the limit: it changes nothing of the answer.
   */
  nearest(
    shelf: string,
    vector: Float32Array,
    limit: number,
    maySee: (item: Audience) => boolean,
  ): Promise<readonly { readonly item: StoredItem; readonly similarity: number }[]>;
  /** Items that are neither superseded nor over. */
  count(shelf: string, nowMs: number): Promise<number>;
  /** In the order of ids, after `after`; null is every shelf. */
  list(shelf: string | null, after: string, limit: number): Promise<readonly StoredItem[]>;
  /** Current and flagged pieces of one document. */
  document(shelf: string, name: string): Promise<readonly ItemFacts[]>;
  setState(ids: readonly string[], state: ItemState, reason: KnowledgeCode | null): Promise<void>;
  /**
   * Removes what is over, and earlier versions of documents `supersededKeptMs` after the first call that finds
   * them; gives how many were. Who read and wrote them stays known. A piece that was put aside stays.
   */
  removeExpired(nowMs: number): Promise<number>;
  /**
   * Who reads what, before it is handed over, and what may be handed over of it: nothing that was put aside
   * by then, and nothing to a barred run. Both are one step: a read is seen by whoever puts aside, or sees it.
   */
  noteReads(incarnation: string, call: string, items: readonly string[]): Promise<readonly string[]>;
  /**
   * Quarantines items and bars runs of agents, in one step that no read and no write spans: what runs add
   * later is quarantined, and they are given nothing more.
   */
  putAside(items: readonly string[], incarnations: readonly string[]): Promise<void>;
  isBarred(incarnation: string): Promise<boolean>;
  readsOf(item: string): Promise<readonly Trail[]>;
  /** What a process wrote after a position. */
  writtenAfter(incarnation: string, position: number): Promise<readonly Trail[]>;
  /** Where a run first read or wrote an item; null where it did neither. */
  firstTouch(incarnation: string, item: string): Promise<number | null>;
  /** Items that name this id among their causes. */
  causedBy(id: string): Promise<readonly string[]>;
}
