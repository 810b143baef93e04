// SPDX-License-Identifier: Apache-2.0
import { open, readFile, realpath, rename } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { RecorderError } from '../recorder/entry.ts';
import type { SignedCheckpoint } from '../recorder/checkpoint.ts';
import { makeFolders } from './folders.ts';

export type RecordCheckpointFile = {
  readonly path: string;
  /** The checkpoint written last; null when there is none. Rejects with `RECORDER_NOT_DURABLE`. */
  readonly read: () => Promise<SignedCheckpoint | null>;
  /** Replaces the checkpoint; resolves when it is durable. One call at a time. */
  readonly write: (checkpoint: SignedCheckpoint) => Promise<void>;
};

const checkpointFile = 'checkpoint';
const checkpointBytesMax = 16_384;

/**
 * Keeps the newest checkpoint in a directory of its own, created when absent. Rejects with
 * `RECORDER_CHECKPOINT_MISPLACED` when that is the log's directory or below it, links resolved: whoever
 * deletes or restores the log would take the proof with it.
 */
export async function openRecordCheckpointFile(options: {
  readonly directory: string;
  readonly logDirectory: string;
  /** Name of the file; `checkpoint` when absent. */
  readonly name?: string;
}): Promise<RecordCheckpointFile> {
  try {
    makeFolders(options.directory, 0o700);
    makeFolders(options.logDirectory, 0o700);
    const directory = await realpath(options.directory);
    const inside = relative(await realpath(options.logDirectory), directory);
    if (inside !== '..' && !inside.startsWith(`..${sep}`)) {
      throw new RecorderError('RECORDER_CHECKPOINT_MISPLACED', 'The checkpoint would lie inside the log.');
    }
    const path = join(directory, options.name ?? checkpointFile);
    return { path, read: () => readCheckpoint(path), write: (checkpoint) => writeCheckpoint(directory, path, checkpoint) };
  } catch (cause) {
    throw asRecorderError(cause);
  }
}

async function readCheckpoint(path: string): Promise<SignedCheckpoint | null> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= checkpointBytesMax) return text;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw asRecorderError(cause);
  }
  throw new RecorderError('RECORDER_CHECKPOINT_INVALID', 'The checkpoint file is too large to be one.');
}

async function writeCheckpoint(directory: string, path: string, checkpoint: SignedCheckpoint): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(checkpoint);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function asRecorderError(cause: unknown): RecorderError {
  if (cause instanceof RecorderError) return cause;
  return new RecorderError('RECORDER_NOT_DURABLE', 'The checkpoint cannot be kept.', { cause });
}
