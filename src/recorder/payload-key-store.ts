// SPDX-License-Identifier: Apache-2.0
import type { EpochRecord } from './payload-epoch.ts';

/**
 * Where the keys of payloads lie while they may still be opened: outside the log, because the log
 * cannot be erased and they must be. Nothing in it opens anything without the custodians.
 *
 * - `addEpoch` and `addKey` resolve when what they add survives a crash; both reject otherwise.
 * - `erase` resolves when the keys of the task are overwritten in the file, and says how many there
 *   were. What was copied elsewhere before it cannot reach.
 */
export interface PayloadKeyStore {
  /** 0 before the first. */
  lastEpoch(): number;
  addEpoch(record: EpochRecord): Promise<void>;
  epoch(number: number): EpochRecord | null;
  addKey(epoch: number, task: string, wrapped: string): Promise<void>;
  /** Wrapped keys of an epoch by task; a task has several after a restart in the middle of it. */
  keys(epoch: number): ReadonlyMap<string, readonly string[]>;
  erase(task: string): Promise<number>;
  /** Forgets whole epochs that ended before the time given, keys and shares. */
  eraseBefore(endedMs: number): Promise<number>;
}
