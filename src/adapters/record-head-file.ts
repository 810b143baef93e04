// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readFile, realpath, rename } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { RecorderError } from '../recorder/entry.ts';
import type { SignedHead } from '../recorder/head.ts';

export type RecordHeadFile = {
  readonly path: string;
  /** The head written last; null when there is none. Rejects with `RECORDER_NOT_DURABLE`. */
  readonly read: () => Promise<SignedHead | null>;
  /** Replaces the head; resolves when it is durable. One call at a time. */
  readonly write: (head: SignedHead) => Promise<void>;
};

const headFile = 'recorder-head.jws';
const headBytesMax = 4096;

/**
 * Keeps the newest signed head in a directory of its own, created when absent. Rejects with
 * `RECORDER_HEAD_MISPLACED` when that is the log's directory or below it, links resolved: whoever
 * deletes or restores the log would take the proof with it.
 */
export async function openRecordHeadFile(options: {
  readonly directory: string;
  readonly logDirectory: string;
}): Promise<RecordHeadFile> {
  try {
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    await mkdir(options.logDirectory, { recursive: true, mode: 0o700 });
    const directory = await realpath(options.directory);
    const inside = relative(await realpath(options.logDirectory), directory);
    if (inside !== '..' && !inside.startsWith(`..${sep}`)) {
      throw new RecorderError('RECORDER_HEAD_MISPLACED', 'The head would lie inside the log.');
    }
    const path = join(directory, headFile);
    return { path, read: () => readHead(path), write: (head) => writeHead(directory, path, head) };
  } catch (cause) {
    throw asRecorderError(cause);
  }
}

async function readHead(path: string): Promise<SignedHead | null> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= headBytesMax) return text.trimEnd();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw asRecorderError(cause);
  }
  throw new RecorderError('RECORDER_HEAD_INVALID', 'The head file is too large to be one.');
}

async function writeHead(directory: string, path: string, head: SignedHead): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(`${head}\n`);
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
  return new RecorderError('RECORDER_NOT_DURABLE', 'The head cannot be kept.', { cause });
}
