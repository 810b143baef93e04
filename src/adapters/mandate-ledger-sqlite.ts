// SPDX-License-Identifier: Apache-2.0
import { chargeRefusal, type Charged, type MandateLedger } from '../mandate/ledger.ts';
import type { MandateCharge, MandateUsage } from '../mandate/satisfies.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS mandate_use (
    key TEXT NOT NULL, mandate TEXT NOT NULL, granted TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (key, mandate, granted)
  );
  CREATE INDEX IF NOT EXISTS mandate_use_of ON mandate_use (mandate, granted, at);
  CREATE TABLE IF NOT EXISTS mandate_amount (
    key TEXT NOT NULL, mandate TEXT NOT NULL, granted TEXT NOT NULL, parameter TEXT NOT NULL,
    amount REAL NOT NULL, PRIMARY KEY (key, mandate, granted, parameter)
  );
  CREATE INDEX IF NOT EXISTS mandate_amount_of ON mandate_amount (mandate, granted, parameter);
`;

/** Uses of mandates in SQLite, looked at and charged in one transaction; see the port. */
export class SqliteMandateLedger implements MandateLedger {
  readonly #db: BatchedDatabase;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#statements = prepare(db);
  }

  usage(exceptKey: string): MandateUsage {
    const { uses, total } = this.#statements;
    return {
      uses: (mandate, right, sinceMs) =>
        numberOf(uses.get(mandate, right, sinceMs ?? Number.MIN_SAFE_INTEGER, exceptKey)),
      total: (mandate, right, parameter) =>
        numberOf(total.get(mandate, right, parameter, exceptKey)),
    };
  }

  charge(key: string, charges: readonly MandateCharge[], nowMs: number): Promise<Charged> {
    if (charges.length === 0) return Promise.resolve({ ok: true, isNew: false });
    return this.#db.write((): Charged => {
      const usage = this.usage(key);
      for (const charge of charges) {
        const code = chargeRefusal(charge, usage, nowMs);
        if (code !== null) return { ok: false, code };
      }
      const isNew = numberOf(this.#statements.known.get(key)) === 0;
      for (const { mandate, right, totals } of charges) {
        this.#statements.use.run(key, mandate, right, nowMs);
        for (const [parameter, amount] of Object.entries(totals)) {
          this.#statements.amount.run(key, mandate, right, parameter, amount);
        }
      }
      return { ok: true, isNew };
    });
  }

  async release(key: string): Promise<void> {
    await this.#db.write(() => {
      this.#statements.releaseUses.run(key);
      this.#statements.releaseAmounts.run(key);
    });
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#db.write(() => {
      this.#statements.pruneAmounts.run(beforeMs);
      this.#statements.pruneUses.run(beforeMs);
    });
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    use: database.prepare('INSERT OR IGNORE INTO mandate_use VALUES (?, ?, ?, ?)'),
    amount: database.prepare('INSERT OR IGNORE INTO mandate_amount VALUES (?, ?, ?, ?, ?)'),
    known: database.prepare('SELECT count(*) AS n FROM mandate_use WHERE key = ?'),
    uses: database.prepare(
      'SELECT count(*) AS n FROM mandate_use' +
        ' WHERE mandate = ? AND granted = ? AND at >= ? AND key <> ?',
    ),
    total: database.prepare(
      'SELECT total(amount) AS n FROM mandate_amount' +
        ' WHERE mandate = ? AND granted = ? AND parameter = ? AND key <> ?',
    ),
    releaseUses: database.prepare('DELETE FROM mandate_use WHERE key = ?'),
    releaseAmounts: database.prepare('DELETE FROM mandate_amount WHERE key = ?'),
    pruneAmounts: database.prepare(
      'DELETE FROM mandate_amount WHERE key IN (SELECT key FROM mandate_use WHERE at < ?)',
    ),
    pruneUses: database.prepare('DELETE FROM mandate_use WHERE at < ?'),
  };
}

/** What is no number is not known, and refuses. */
function numberOf(row: Record<string, unknown> | undefined): number {
  return typeof row?.['n'] === 'number' ? row['n'] : Number.NaN;
}
