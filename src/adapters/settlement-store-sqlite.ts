// SPDX-License-Identifier: Apache-2.0
import type { Settlement, SettlementStore } from '../control/settlements.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS call_settlement (
    id TEXT PRIMARY KEY, executor TEXT NOT NULL, call TEXT NOT NULL, state TEXT NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS call_settlement_call ON call_settlement (executor, call);
`;

/** Settlements of calls in doubt in the node's database; see the port. */
export class SqliteSettlementStore implements SettlementStore {
  readonly #db: BatchedDatabase;
  readonly #byId;
  readonly #ofCall;
  readonly #waiting;
  readonly #save;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    const { database } = db;
    database.exec(schema);
    this.#byId = database.prepare('SELECT value FROM call_settlement WHERE id = ?');
    this.#ofCall = database.prepare(
      'SELECT value FROM call_settlement WHERE executor = ? AND call = ? ORDER BY rowid',
    );
    this.#waiting = database.prepare(
      "SELECT value FROM call_settlement WHERE executor = ? AND state = 'waiting' ORDER BY rowid",
    );
    // An update keeps the row's place: what was asked for first is sent first.
    this.#save = database.prepare(
      'INSERT INTO call_settlement VALUES (?, ?, ?, ?, ?)' +
        ' ON CONFLICT (id) DO UPDATE SET state = excluded.state, value = excluded.value',
    );
  }

  byId(id: string): Settlement | null {
    const row = this.#byId.get(id);
    return row === undefined ? null : settlementOf(row);
  }

  ofCall(executor: string, call: string): readonly Settlement[] {
    return this.#ofCall.all(executor, call).map(settlementOf);
  }

  waiting(executor: string): readonly Settlement[] {
    return this.#waiting.all(executor).map(settlementOf);
  }

  async save(settlement: Settlement): Promise<void> {
    const { id, executor, call, state } = settlement;
    const text = JSON.stringify(settlement);
    await this.#db.write(() => this.#save.run(id, executor, call, state, text));
  }
}

function settlementOf(row: Record<string, unknown>): Settlement {
  return JSON.parse(String(row['value'])) as Settlement;
}
