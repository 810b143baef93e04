// SPDX-License-Identifier: Apache-2.0
import { markKey, marksMax, type Mark, type PlacedMark, type ProgressStore } from '../intent/progress.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS task_mark (
    task TEXT NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,
    value TEXT NOT NULL, PRIMARY KEY (task, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS task_mark_place ON task_mark (place);
  CREATE INDEX IF NOT EXISTS task_mark_at ON task_mark (at);
`;

/** What happened in each task, in the node's SQLite file; see the port for the contract. */
export class SqliteProgressStore implements ProgressStore {
  readonly #db: BatchedDatabase;
  readonly #of;
  readonly #count;
  readonly #add;
  readonly #prune;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    const { database } = db;
    this.#of = database.prepare('SELECT value, place FROM task_mark WHERE task = ? ORDER BY place');
    this.#count = database.prepare('SELECT count(*) AS n FROM task_mark WHERE task = ?');
    this.#add = database.prepare(`INSERT OR REPLACE INTO task_mark
      VALUES (?, ?, (SELECT coalesce(max(place), 0) + 1 FROM task_mark), ?, ?)`);
    this.#prune = database.prepare(
      'DELETE FROM task_mark WHERE at < ?1 AND NOT EXISTS' +
        ' (SELECT 1 FROM task_mark newer WHERE newer.task = task_mark.task AND newer.at >= ?1)');
  }

  of(task: string): readonly PlacedMark[] {
    return this.#of.all(task).map((row) => ({
      mark: JSON.parse(String(row['value'])) as Mark, place: Number(row['place']),
    }));
  }

  async add(task: string, marks: readonly Mark[], nowMs: number): Promise<void> {
    await this.#db.write(() => {
      if (Number(this.#count.get(task)?.['n'] ?? 0) + marks.length > marksMax) {
        throw new Error('The task has too many marks.');
      }
      for (const mark of marks) this.#add.run(task, markKey(mark), Math.floor(nowMs), JSON.stringify(mark));
    });
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#db.write(() => this.#prune.run(Math.floor(beforeMs)));
  }
}
