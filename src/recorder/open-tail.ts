// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { writerId } from './batch.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { RecorderError } from './entry.ts';
import { parseEntryLine } from './entry-line.ts';
import type { LogTip } from './entry-line.ts';
import { GrowingTree, leafHash, tileWidth } from './merkle.ts';
import type { RecordLog } from './record-log.ts';
import { prunedHash } from './pruned-line.ts';
import { RecentIds } from './recent-ids.ts';
import type { RecorderLimits, RecorderOptions } from './recorder-options.ts';

export type LogTail = {
  readonly tip: LogTip;
  readonly recent: RecentIds;
  /** The tree of all entries; the full tiles in it are not written yet. */
  readonly tree: GrowingTree;
  /** Entries that the last checkpoint covers, which holds; 0 when there is none. */
  readonly checkpointSize: number;
};

/**
 * What a recorder needs to know of its log: where it ends, its tree, and the latest ids. What came
 * after the last checkpoint is taken into the tree again, so that tiles that a crash kept from the
 * disk are repaired. Holds the log against the checkpoint.
 */
export async function readTail(
  options: RecorderOptions,
  limits: RecorderLimits,
): Promise<LogTail> {
  const { log } = options;
  const checkpoint = lastCheckpoint(options);
  const size = log.size();
  if (checkpoint !== null && checkpoint.size > size) {
    throw new RecorderError('RECORDER_TRUNCATED', 'The log is shorter than its last checkpoint.');
  }
  const late = Math.min(checkpoint?.size ?? 0, Math.max(0, size - limits.recentIdsMax));
  const from = late - (late % tileWidth);
  const newIds = () => new RecentIds(limits.recentIdsMax, options.random);
  const tail =
    (from === 0 ? null : await readFrom({ log, from, checkpoint, recent: newIds() })) ??
    // Tiles that are gone or damaged are made again from the entries, as far as those fit.
    (await readFrom({ log, from: 0, checkpoint, recent: newIds() }));
  if (tail !== null) return tail;
  throw new RecorderError('RECORDER_FORKED', 'The log is not the one of its last checkpoint.');
}

type Reading = {
  readonly log: RecordLog;
  readonly from: number;
  readonly checkpoint: Checkpoint | null;
  readonly recent: RecentIds;
};

/** Null when the tree does not come to the root of the checkpoint. */
async function readFrom({ log, from, checkpoint, recent }: Reading): Promise<LogTail | null> {
  const tree = await GrowingTree.restore(from, (level, index) =>
    log.readTile(level, index, tileWidth),
  );
  if (tree === null) return null;
  let tip: LogTip = { size: from, recordedAt: 0 };
  const size = log.size();
  const holds = () =>
    tree.size !== checkpoint?.size || Buffer.from(tree.root()).equals(checkpoint.root);
  if (!holds()) return null;
  for await (const line of log.read(from, size)) {
    const pruned = prunedHash(line);
    if (pruned !== null) {
      tree.append(pruned);
      tip = { size: tip.size + 1, recordedAt: tip.recordedAt };
      if (!holds()) return null;
      continue;
    }
    const entry = parseEntryLine(line);
    if (entry === null || entry.sequence !== tip.size || entry.recordedAt < tip.recordedAt) {
      throw new RecorderError('RECORDER_LOG_BROKEN', `The log is broken at entry ${tip.size}.`);
    }
    tree.append(leafHash(line));
    tip = { size: tip.size + 1, recordedAt: entry.recordedAt };
    recent.add(writerId(entry), entry.sequence);
    if (!holds()) return null;
    await keepTiles(log, tree);
  }
  if (tip.size !== size) {
    throw new RecorderError('RECORDER_LOG_BROKEN', 'The log does not hold the lines it counts.');
  }
  return { tip, recent, tree, checkpointSize: checkpoint?.size ?? 0 };
}

const tilesAtOnce = 256;

/** Writes full tiles that are not on the disk as they should be, before they fill the memory. */
export async function keepTiles(log: RecordLog, tree: GrowingTree): Promise<void> {
  if (tree.waitingTiles < tilesAtOnce) return;
  const tiles = tree.takeFullTiles();
  try {
    await log.writeTiles(tiles);
  } catch (failure) {
    tree.giveBack(tiles);
    throw failure;
  }
}

function lastCheckpoint(options: RecorderOptions): Checkpoint | null {
  const { lastCheckpoint: signed, log, signer, formerKeys = [] } = options;
  if (signed === null) return null;
  const opened = openCheckpoint(signed, log.name, [signer.publicKey, ...formerKeys]);
  if (opened === 'invalid') {
    throw new RecorderError(
      'RECORDER_CHECKPOINT_INVALID',
      'The last checkpoint is not by the recorder key.',
    );
  }
  if (opened === 'foreign') {
    throw new RecorderError(
      'RECORDER_CHECKPOINT_FOREIGN',
      'The last checkpoint belongs to another log.',
    );
  }
  return opened;
}
