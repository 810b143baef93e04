// SPDX-License-Identifier: Apache-2.0
import type { CalibrationAnswer, CalibrationStore } from '../judge/calibration.ts';
import type { JudgeQuestion } from '../judge/judge.ts';
import type { JudgeMemory } from '../judge/judge-memory.ts';
import type { SenderStanding } from '../judge/sampling.ts';
import type { Charge, SpendStore } from '../judge/spend.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS judge_question (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, question TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS judge_suspect (agent TEXT PRIMARY KEY, until INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS judge_sender (
    agent TEXT PRIMARY KEY, seen INTEGER NOT NULL, doubted INTEGER NOT NULL, model TEXT, changed INTEGER NOT NULL
  );
`;

/** Questions that wait to be judged after the fact. */
const questionsMax = 10_000;

/** Answers of all subjects that are kept. */
const answersMax = 10_000;

function sqliteCalibrations(db: BatchedDatabase): CalibrationStore {
  const { database } = db;
  database.exec(`CREATE TABLE IF NOT EXISTS judge_calibration (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, spec TEXT NOT NULL, value TEXT NOT NULL
  )`);
  const answers = database.prepare(
    'SELECT value FROM judge_calibration WHERE subject = ? AND spec = ? ORDER BY id DESC LIMIT ?');
  const save = database.prepare('INSERT INTO judge_calibration (subject, spec, value) VALUES (?, ?, ?)');
  const drop = database.prepare(
    'DELETE FROM judge_calibration WHERE id <= (SELECT max(id) FROM judge_calibration) - ?');
  return {
    answers: (subject, spec, limit) => answers.all(subject, spec, limit)
      .map((row) => JSON.parse(String(row['value'])) as CalibrationAnswer),
    save: async (answer) => {
      await db.write(() => {
        save.run(answer.subject, answer.spec, JSON.stringify(answer));
        drop.run(answersMax);
      });
    },
  };
}

/** Charges in a table of their own: of the judges, or of the agent's model. */
export function sqliteSpend(db: BatchedDatabase, table: 'judge_charge' | 'model_charge'): SpendStore {
  const { database } = db;
  database.exec(`CREATE TABLE IF NOT EXISTS ${table} (
    id TEXT PRIMARY KEY, task TEXT NOT NULL, at INTEGER NOT NULL, micros INTEGER NOT NULL,
    tokens INTEGER NOT NULL DEFAULT 0
  )`);
  const columns = database.prepare(`PRAGMA table_info(${table})`).all().map((row) => row['name']);
  // A state directory from before tokens were counted: what was spent then counts in money alone.
  if (!columns.includes('tokens')) database.exec(`ALTER TABLE ${table} ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0`);
  const since = database.prepare(`SELECT * FROM ${table} WHERE at > ? ORDER BY at`);
  const save = database.prepare(
    `INSERT OR REPLACE INTO ${table} (id, task, at, micros, tokens) VALUES (?, ?, ?, ?, ?)`);
  const drop = database.prepare(`DELETE FROM ${table} WHERE at <= ?`);
  return {
    since: (atMs) => since.all(atMs).map((row): Charge => ({
      id: String(row['id']),
      task: String(row['task']),
      atMs: Number(row['at']),
      micros: Number(row['micros']),
      tokens: Number(row['tokens']),
    })),
    save: async ({ id, task, atMs, micros, tokens }) => {
      await db.write(() => save.run(id, task, atMs, micros, tokens));
    },
    drop: async (beforeMs) => {
      await db.write(() => drop.run(beforeMs));
    },
  };
}

/** The judge's memory in the sidecar's own SQLite file; see the port for the contract. */
export class SqliteJudgeMemory implements JudgeMemory {
  readonly #db: BatchedDatabase;
  readonly #statements: ReturnType<typeof prepare>;
  readonly spend: SpendStore;
  readonly modelSpend: SpendStore;
  readonly calibrations: CalibrationStore;
  #count: number;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#statements = prepare(db);
    this.#count = Number(this.#statements.countQuestions.get()?.['n'] ?? 0);
    this.spend = sqliteSpend(db, 'judge_charge');
    this.modelSpend = sqliteSpend(db, 'model_charge');
    this.calibrations = sqliteCalibrations(db);
  }

  questions(limit: number): readonly JudgeQuestion[] {
    return this.#statements.questions.all(limit)
      .map((row) => JSON.parse(String(row['question'])) as JudgeQuestion);
  }

  async queue(question: JudgeQuestion, nowMs: number): Promise<boolean> {
    if (this.#count >= questionsMax) return false;
    this.#count += 1;
    let added = 0;
    try {
      await this.#db.write(() => {
        const { changes } = this.#statements.queue.run(question.id, nowMs, JSON.stringify(question));
        added = Number(changes);
      });
    } finally {
      this.#count -= 1 - added;
    }
    return true;
  }

  async answered(id: string): Promise<void> {
    let dropped = 0;
    await this.#db.write(() => {
      dropped = Number(this.#statements.answered.run(id).changes);
    });
    this.#count -= dropped;
  }

  suspectUntil(agent: string): number {
    return Number(this.#statements.suspect.get(agent)?.['until'] ?? 0);
  }

  async suspect(agent: string, untilMs: number): Promise<void> {
    await this.#db.write(() => this.#statements.saveSuspect.run(agent, untilMs));
  }

  sender(agent: string): SenderStanding | null {
    const row = this.#statements.sender.get(agent);
    if (row === undefined) return null;
    const { seen, doubted, model, changed } = row;
    return {
      seen: Number(seen), doubtedUntil: Number(doubted), model: model === null ? null : String(model),
      changedUntil: Number(changed),
    };
  }

  async saveSender(agent: string, { seen, doubtedUntil, model, changedUntil }: SenderStanding): Promise<void> {
    await this.#db.write(() => this.#statements.saveSender.run(agent, seen, doubtedUntil, model, changedUntil));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    questions: database.prepare('SELECT question FROM judge_question ORDER BY at, rowid LIMIT ?'),
    countQuestions: database.prepare('SELECT count(*) AS n FROM judge_question'),
    queue: database.prepare('INSERT OR IGNORE INTO judge_question VALUES (?, ?, ?)'),
    answered: database.prepare('DELETE FROM judge_question WHERE id = ?'),
    suspect: database.prepare('SELECT until FROM judge_suspect WHERE agent = ?'),
    sender: database.prepare('SELECT seen, doubted, model, changed FROM judge_sender WHERE agent = ?'),
    saveSender: database.prepare('INSERT OR REPLACE INTO judge_sender VALUES (?, ?, ?, ?, ?)'),
    saveSuspect: database.prepare('INSERT OR REPLACE INTO judge_suspect VALUES (?, ?)'),
  };
}
