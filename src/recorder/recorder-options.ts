// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { Clock, Random } from '../message/clock.ts';
import { RecorderError } from './entry.ts';
import type { RecorderErrorCode } from './entry.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { RecordLog } from './record-log.ts';
import type { RecorderSigner } from './signed-note.ts';

/** Runs something once, later. Returns what calls it off. */
export type Timer = (delayMs: number, run: () => void) => () => void;

export type RecorderLimits = {
  /**
   * How long the first entry of an idle recorder waits for company, 0 to 2. At 0 it is written at
   * once, and what comes while it is being written goes together.
   */
  readonly windowMs: number;
  /** Entries of one group commit; reaching it ends the window. */
  readonly batchEntriesMax: number;
  readonly batchBytesMax: number;
  /** Entries that may wait for the disk; a quarter of the room is kept for privileged ones. */
  readonly waitingEntriesMax: number;
  /** At most 65,535, which is what an entry bundle of C2SP tlog-tiles holds. */
  readonly entryBytesMax: number;
  /** Ids of this many latest entries, at least, are never recorded twice. */
  readonly recentIdsMax: number;
  readonly checkpointEveryMs: number;
  /** Bytes of refusals, and again of indicators, recorded one by one in one window. */
  readonly refusalBytesMax: number;
  readonly refusalWindowMs: number;
  /** How often refusals over the quota are written as one digest. */
  readonly digestEveryMs: number;
};

export const defaultRecorderLimits: RecorderLimits = {
  windowMs: 0,
  batchEntriesMax: 1024,
  batchBytesMax: 4 * 1024 * 1024,
  waitingEntriesMax: 50_000,
  entryBytesMax: 65_535,
  recentIdsMax: 100_000,
  checkpointEveryMs: 1000,
  refusalBytesMax: 256 * 1024,
  refusalWindowMs: 60_000,
  digestEveryMs: 500,
};

export type RecorderOptions = {
  readonly log: RecordLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: Timer;
  readonly signer: RecorderSigner;
  /** Makes the checkpoint durable outside the directory of the log. */
  readonly writeCheckpoint: (checkpoint: SignedCheckpoint) => Promise<void>;
  /** Told of every checkpoint that was written, for witnesses; returns at once. */
  readonly offerCheckpoint?: (checkpoint: SignedCheckpoint, size: number) => void;
  /** The checkpoint written last, or null when there is none yet. */
  readonly lastCheckpoint: SignedCheckpoint | null;
  /** Other public keys that may have signed `lastCheckpoint`. */
  readonly formerKeys?: readonly KeyObject[];
  readonly limits?: Partial<RecorderLimits>;
};

/**
 * `reserve`: the disk is full, only privileged entries are recorded, into the reserved space.
 * `unavailable`: the last attempt failed. Both name the code, and end with the next attempt that
 * succeeds.
 */
export type RecorderStatus = {
  readonly state: 'available' | 'reserve' | 'unavailable';
  readonly code: RecorderErrorCode | null;
  /** Why the last attempt to write a checkpoint failed; null when it did not. */
  readonly checkpointCode: 'RECORDER_CHECKPOINT_NOT_WRITTEN' | null;
  /** Entries covered by the newest checkpoint, and when it was signed; 0 for unknown. */
  readonly checkpointSize: number;
  readonly checkpointAt: number;
};

/** Fills in the defaults. Throws `RecorderError` with `RECORDER_OPTIONS_INVALID`. */
export function recorderLimits(given: Partial<RecorderLimits> = {}): RecorderLimits {
  const limits: RecorderLimits = { ...defaultRecorderLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < (name === 'windowMs' ? 0 : 1)) {
      throw new RecorderError('RECORDER_OPTIONS_INVALID', `The limit ${name} is out of bounds.`);
    }
  }
  if (limits.windowMs > 2 || limits.entryBytesMax > 65_535) {
    throw new RecorderError('RECORDER_OPTIONS_INVALID', 'A limit is above what is possible.');
  }
  return limits;
}
