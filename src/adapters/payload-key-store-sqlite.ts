// SPDX-License-Identifier: Apache-2.0
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { RecorderError } from '../recorder/entry.ts';
import { parseEpochRecord } from '../recorder/payload-epoch.ts';
import type { EpochRecord } from '../recorder/payload-epoch.ts';
import type { PayloadKeyStore } from '../recorder/payload-key-store.ts';
import { makeFolders } from './folders.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS epoch (
    number INTEGER PRIMARY KEY, ends_at INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS last_epoch (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), number INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS task_key (
    epoch INTEGER NOT NULL, task TEXT NOT NULL, wrapped TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS task_key_task ON task_key (task);
  CREATE INDEX IF NOT EXISTS task_key_epoch ON task_key (epoch);
`;

/**
 * Wrapped keys and shares in a SQLite file of their own, so that it alone needs erasing. What is
 * deleted is overwritten with zeros (`secure_delete`), and the write-ahead log is cut to nothing
 * after each erasure. What a file system or a disk keeps of old blocks is beyond its reach.
 */
export class SqlitePayloadKeyStore implements PayloadKeyStore {
  readonly #db: BatchedDatabase;
  #lastEpoch: number;

  constructor(path: string) {
    makeFolders(dirname(path), 0o700);
    this.#db = new BatchedDatabase(path);
    chmodSync(path, 0o600);
    this.#db.database.exec(schema);
    const row = this.#db.database.prepare('SELECT number FROM last_epoch').get();
    this.#lastEpoch = Number(row?.['number'] ?? 0);
  }

  lastEpoch(): number {
    return this.#lastEpoch;
  }

  async addEpoch(record: EpochRecord): Promise<void> {
    const { epoch, endsAt } = record;
    await this.#db.write(() => {
      const { database } = this.#db;
      database.prepare('INSERT INTO epoch VALUES (?, ?, ?)').run(epoch, endsAt, JSON.stringify(record));
      database.prepare('INSERT OR REPLACE INTO last_epoch VALUES (1, ?)').run(epoch);
    });
    this.#lastEpoch = Math.max(this.#lastEpoch, epoch);
  }

  epoch(number: number): EpochRecord | null {
    const row = this.#db.database.prepare('SELECT record FROM epoch WHERE number = ?').get(number);
    if (row === undefined) return null;
    const record = parseEpochRecord(JSON.parse(String(row['record'])));
    if (record !== null) return record;
    throw new RecorderError('RECORDER_EPOCH_FORGED', 'The record of an epoch is not of its form.');
  }

  async addKey(epoch: number, task: string, wrapped: string): Promise<void> {
    await this.#db.write(() =>
      this.#db.database.prepare('INSERT INTO task_key VALUES (?, ?, ?)').run(epoch, task, wrapped));
  }

  keys(epoch: number): ReadonlyMap<string, readonly string[]> {
    const rows = this.#db.database
      .prepare('SELECT task, wrapped FROM task_key WHERE epoch = ?')
      .all(epoch);
    const keys = new Map<string, string[]>();
    for (const row of rows) {
      const task = String(row['task']);
      const known = keys.get(task);
      if (known === undefined) keys.set(task, [String(row['wrapped'])]);
      else known.push(String(row['wrapped']));
    }
    return keys;
  }

  async erase(task: string): Promise<number> {
    const count = await this.#db.write(() =>
      this.#db.database.prepare('DELETE FROM task_key WHERE task = ?').run(task).changes);
    this.#overwrite();
    return Number(count);
  }

  async eraseBefore(endedMs: number): Promise<number> {
    const count = await this.#db.write(() => {
      const { database } = this.#db;
      database
        .prepare('DELETE FROM task_key WHERE epoch IN (SELECT number FROM epoch WHERE ends_at < ?)')
        .run(endedMs);
      return database.prepare('DELETE FROM epoch WHERE ends_at < ?').run(endedMs).changes;
    });
    if (count > 0) this.#overwrite();
    return Number(count);
  }

  close(): void {
    this.#db.close();
  }

  /** What the write-ahead log still holds of deleted rows goes too. */
  #overwrite(): void {
    this.#db.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }
}
