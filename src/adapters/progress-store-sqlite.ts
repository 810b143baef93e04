// SPDX-License-Identifier: Apache-2.0
import { stepsMax, type Step } from '../intent/steps.ts';
import {
  judgedIn, markKey, marksMax, type JudgedChange, type JudgedMark, type JudgedPhase, type Mark, type PlacedMark,
  type ProgressStore,
} from '../intent/progress.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS task_mark (
    task TEXT NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,
    value TEXT NOT NULL, PRIMARY KEY (task, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS task_mark_place ON task_mark (place);
  CREATE INDEX IF NOT EXISTS task_mark_at ON task_mark (at);
  CREATE TABLE IF NOT EXISTS task_step (
    place INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, message TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL, first INTEGER NOT NULL, value TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS task_step_task ON task_step (task, place);
  CREATE INDEX IF NOT EXISTS task_step_at ON task_step (at);
`;

/** What happened in each task, in the node's SQLite file; see the port for the contract. */
export class SqliteProgressStore implements ProgressStore {
  readonly #db: BatchedDatabase;
  readonly #of;
  readonly #count;
  readonly #add;
  readonly #steps;
  readonly #note;
  readonly #drop;
  readonly #prune;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    const { database } = db;
    this.#of = database.prepare('SELECT value, place FROM task_mark WHERE task = ? ORDER BY place');
    this.#count = database.prepare('SELECT count(*) AS n FROM task_mark WHERE task = ?');
    this.#add = database.prepare(`INSERT OR REPLACE INTO task_mark
      VALUES (?, ?, (SELECT coalesce(max(place), 0) + 1 FROM task_mark), ?, ?)`);
    this.#steps = database.prepare('SELECT value, first FROM task_step WHERE task = ? ORDER BY place');
    // Whether it is the first of its task, so that one which gave way is missed.
    this.#note = database.prepare(`INSERT OR IGNORE INTO task_step (task, message, at, first, value)
      VALUES (?1, ?2, ?3, NOT EXISTS (SELECT 1 FROM task_step WHERE task = ?1), ?4)`);
    this.#drop = database.prepare(`DELETE FROM task_step WHERE task = ?1 AND place <=
      (SELECT place FROM task_step WHERE task = ?1 ORDER BY place DESC LIMIT 1 OFFSET ?2)`);
    const forget = (table: string) => database.prepare(
      `DELETE FROM ${table} WHERE at < ?1 AND NOT EXISTS` +
        ` (SELECT 1 FROM ${table} newer WHERE newer.task = ${table}.task AND newer.at >= ?1)`);
    this.#prune = [forget('task_mark'), forget('task_step')];
  }

  steps(task: string): { readonly steps: readonly Step[]; readonly isWhole: boolean } {
    const rows = this.#steps.all(task);
    return {
      steps: rows.map((row) => JSON.parse(String(row['value'])) as Step),
      isWhole: rows.length === 0 || Number(rows[0]?.['first']) === 1,
    };
  }

  async note(task: string, message: string, step: Step, nowMs: number): Promise<void> {
    await this.#db.write(() => {
      this.#note.run(task, message, Math.floor(nowMs), JSON.stringify(step));
      this.#drop.run(task, stepsMax);
    });
  }

  of(task: string): readonly PlacedMark[] {
    return this.#of.all(task).map((row) => ({
      mark: JSON.parse(String(row['value'])) as Mark, place: Number(row['place']),
    }));
  }

  async add(task: string, marks: readonly Mark[], nowMs: number): Promise<void> {
    await this.#db.write(() => this.#put(task, marks, nowMs));
  }

  async judge(task: string, of: JudgedPhase, change: JudgedChange, nowMs: number): Promise<JudgedMark | null> {
    let stands: JudgedMark | null = null;
    await this.#db.write(() => {
      const before = judgedIn(this.of(task), of);
      const after = change(before);
      if (after !== null) this.#put(task, [after], nowMs);
      stands = after ?? before;
    });
    return stands;
  }

  #put(task: string, marks: readonly Mark[], nowMs: number): void {
    if (Number(this.#count.get(task)?.['n'] ?? 0) + marks.length > marksMax) {
      throw new Error('The task has too many marks.');
    }
    for (const mark of marks) this.#add.run(task, markKey(mark), Math.floor(nowMs), JSON.stringify(mark));
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#db.write(() => {
      for (const statement of this.#prune) statement.run(Math.floor(beforeMs));
    });
  }
}
