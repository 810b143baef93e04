// SPDX-License-Identifier: Apache-2.0
import type { BreakerState } from '../bounds/breaker.ts';
import { endless } from '../bounds/charge.ts';
import type { Allotment, Ledger, LedgerStore, LedgerView } from '../bounds/ledger.ts';
import type { HandOver, LineageStore } from '../bounds/lineage.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS bound_sum (
    key TEXT NOT NULL, end INTEGER NOT NULL, units INTEGER NOT NULL, keep_until INTEGER NOT NULL,
    PRIMARY KEY (key, end)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bound_allotment (
    id TEXT PRIMARY KEY, keep_until INTEGER NOT NULL, value TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bound_breaker (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bound_release (key TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bound_time (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), latest INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS hand_over (
    task TEXT NOT NULL, receiver TEXT NOT NULL, giver TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (task, receiver, giver)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS hand_over_receiver ON hand_over (receiver, giver);
  CREATE INDEX IF NOT EXISTS hand_over_at ON hand_over (at);
`;


/** The ledger of a node in SQLite. Prepared once; every change is one transaction of its own. */
export class SqliteLedgerStore implements LedgerStore {
  readonly #db: BatchedDatabase;
  readonly #ledger: Ledger;
  readonly #prune;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#ledger = ledgerOf(db);
    const forget = (table: string, column: string) =>
      db.database.prepare(`DELETE FROM ${table} WHERE ${column} < ?`);
    this.#prune = [
      forget('bound_sum', 'keep_until'),
      forget('bound_allotment', 'keep_until'),
      forget('bound_release', 'until'),
    ];
  }

  get view(): LedgerView {
    return this.#ledger;
  }

  change<Value>(work: (ledger: Ledger) => Value): Promise<Value> {
    return this.#db.write(() => work(this.#ledger));
  }

  async prune(nowMs: number): Promise<void> {
    await this.#db.write(() => {
      for (const statement of this.#prune) statement.run(nowMs);
    });
  }
}

function ledgerOf({ database }: BatchedDatabase): Ledger {
  const sum = database.prepare(
    'SELECT total(units) AS units FROM bound_sum WHERE key = ? AND end > ?',
  );
  const add = database.prepare(
    `INSERT INTO bound_sum VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       units = units + excluded.units, keep_until = max(keep_until, excluded.keep_until)`,
  );
  const takeBack = database.prepare(
    'UPDATE bound_sum SET units = units - ? WHERE key = ? AND end = ?',
  );
  const allotment = database.prepare('SELECT value FROM bound_allotment WHERE id = ?');
  // Ids hold nothing that JSON would write otherwise; whether it is a holder is looked at below.
  const naming = database.prepare('SELECT value FROM bound_allotment WHERE instr(value, ?) > 0');
  const saveAllotment = database.prepare('INSERT OR REPLACE INTO bound_allotment VALUES (?, ?, ?)');
  const dropAllotment = database.prepare('DELETE FROM bound_allotment WHERE id = ?');
  const breaker = database.prepare('SELECT value FROM bound_breaker WHERE key = ?');
  const saveBreaker = database.prepare('INSERT OR REPLACE INTO bound_breaker VALUES (?, ?)');
  const released = database.prepare('SELECT until FROM bound_release WHERE key = ?');
  const release = database.prepare(
    `INSERT INTO bound_release VALUES (?, ?)
       ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`,
  );
  const latest = database.prepare('SELECT latest FROM bound_time');
  const noteTime = database.prepare(
    `INSERT INTO bound_time VALUES (1, ?)
       ON CONFLICT DO UPDATE SET latest = max(latest, excluded.latest)`,
  );
  return {
    sum: (key, sinceMs) => Number(sum.get(key, finite(sinceMs))?.['units'] ?? Number.NaN),
    add: ({ key, endMs, units }, keepUntilMs) =>
      void add.run(key, finite(endMs), units, finite(keepUntilMs)),
    takeBack: ({ key, endMs, units }) => void takeBack.run(units, key, finite(endMs)),
    allotment: (id) => {
      const value = allotment.get(id)?.['value'];
      return typeof value === 'string' ? (JSON.parse(value) as Allotment) : null;
    },
    heldBy: (holder) =>
      naming.all(JSON.stringify(holder))
        .map(({ value }) => JSON.parse(String(value)) as Allotment)
        .filter(({ holders }) => holders.includes(holder)),
    saveAllotment: (value, keepUntilMs) =>
      void saveAllotment.run(value.id, finite(keepUntilMs), JSON.stringify(value)),
    dropAllotment: (id) => void dropAllotment.run(id),
    breaker: (key) => {
      const value = breaker.get(key)?.['value'];
      return typeof value === 'string' ? (JSON.parse(value) as BreakerState) : null;
    },
    saveBreaker: (key, state) => void saveBreaker.run(key, JSON.stringify(state)),
    releasedUntilMs: (key) => Number(released.get(key)?.['until'] ?? 0),
    release: (key, untilMs) => void release.run(key, finite(untilMs)),
    latestMs: () => Number(latest.get()?.['latest'] ?? 0),
    noteTime: (nowMs) => void noteTime.run(Math.floor(nowMs)),
  };
}

function finite(timeMs: number): number {
  return Math.trunc(Math.max(-endless, Math.min(endless, timeMs)));
}

/** The lineage of tasks in SQLite; see the port. */
export class SqliteLineageStore implements LineageStore {
  readonly #db: BatchedDatabase;
  readonly #handedBy;
  readonly #everHandedBy;
  readonly #add;
  readonly #prune;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    const { database } = db;
    this.#handedBy = database.prepare('SELECT giver FROM hand_over WHERE task = ? AND receiver = ?');
    this.#everHandedBy = database.prepare('SELECT DISTINCT giver FROM hand_over WHERE receiver = ?');
    this.#add = database.prepare('INSERT OR IGNORE INTO hand_over VALUES (?, ?, ?, ?)');
    this.#prune = database.prepare('DELETE FROM hand_over WHERE at < ?');
  }

  handedBy(task: string, to: string): readonly string[] {
    return this.#handedBy.all(task, to).map((row) => String(row['giver']));
  }

  everHandedBy(to: string): readonly string[] {
    return this.#everHandedBy.all(to).map((row) => String(row['giver']));
  }

  async add(steps: readonly HandOver[], nowMs: number): Promise<void> {
    if (steps.length === 0) return;
    await this.#db.write(() => {
      for (const { task, by, to } of steps) this.#add.run(task, to, by, nowMs);
    });
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#db.write(() => this.#prune.run(beforeMs));
  }
}
