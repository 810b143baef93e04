// SPDX-License-Identifier: Apache-2.0
import type { Tile } from './merkle.ts';

export type AppendOptions = {
  /** True when the lines may use the space that is reserved for privileged entries. */
  readonly privileged: boolean;
};

/**
 * Where the lines of the flight recorder are kept. It knows lines, not entries, and has one writer:
 * a second one is refused at opening with `RECORDER_LOCKED`.
 *
 * - A line is non-empty UTF-8 text without a line feed. Positions count from 0, without gaps.
 * - `append` adds the lines in order and resolves only when they are durable (`fdatasync` or as
 *   strong). It rejects with `RecorderError` when they are not, and then none of them is in the
 *   log: what had reached the disk is cut off before the next append writes anything. The caller
 *   sends one append at a time.
 * - Codes of `append`: `RECORDER_FULL` (no space), `RECORDER_NOT_DURABLE` (any other fault of the
 *   disk), `RECORDER_LOG_BROKEN` (another hand changed what was durable; final),
 *   `RECORDER_CLOSED`. After the first two the next append tries anew.
 * - Lines that are not privileged are written only while the whole reserve is in place; privileged
 *   ones may use it up. It is put back as soon as there is space.
 * - A crash leaves a prefix of the last append at most; opening cuts off the last incomplete line.
 * - `read` yields the raw bytes of durable lines from `from` up to, not including, `to`, and sees
 *   those that were durable when it was called. A line changed by another hand is yielded as found.
 * - `writeTiles` resolves when full tiles are durable; narrower ones can be made again and need not
 *   be. A full tile that is already there as it should be is left alone; the narrower ones of its
 *   place go. Rejects with `RECORDER_NOT_DURABLE` or `RECORDER_FULL`, and may be repeated.
 * - `readTile` gives the first `width` hashes of a tile, from a wider one where that is kept, or
 *   null. What it gives is as found: whether it is right shows in the root.
 * - `publish` puts the newest checkpoint beside the tiles, where readers of the log look for it. It
 *   proves nothing that a checkpoint kept elsewhere does not, and need not be durable.
 */
export interface RecordLog {
  /** Random name minted with the log; the first line of its checkpoints names it. */
  readonly name: string;
  /** Durable lines. */
  size(): number;
  /** Bytes of incomplete lines cut off since the log was opened, the opening included. */
  tornBytes(): number;
  append(lines: readonly string[], options: AppendOptions): Promise<void>;
  read(from: number, to: number): AsyncIterable<Uint8Array>;
  writeTiles(tiles: readonly Tile[]): Promise<void>;
  readTile(level: number, index: number, width: number): Promise<Uint8Array | null>;
  publish(checkpoint: string): Promise<void>;
  /** Lets go of the log. Idempotent. */
  close(): Promise<void>;
}
