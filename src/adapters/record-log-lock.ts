// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RecorderError } from '../recorder/entry.ts';

const lockFile = 'writer.lock';
const sqliteBusy = 5;

/**
 * Takes the log for this process alone and returns what gives it back. The lock is one of the
 * operating system, held through an empty SQLite file: it ends with the process however that dies,
 * so there is no stale lock to guess about and no process id that another process may have by now.
 * Throws `RecorderError` with `RECORDER_LOCKED` or `RECORDER_NOT_DURABLE`.
 */
export function lockRecordLog(directory: string): () => void {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(join(directory, lockFile), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    const held = database;
    return () => {
      if (held.isOpen) held.close();
    };
  } catch (cause) {
    database?.close();
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy) {
      throw new RecorderError('RECORDER_LOCKED', 'Another process writes this log.', { cause });
    }
    throw new RecorderError('RECORDER_NOT_DURABLE', 'The log cannot be locked.', { cause });
  }
}
