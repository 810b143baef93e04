// SPDX-License-Identifier: Apache-2.0
import type { Rollback, RollbackStore, Undo } from '../control/rollback.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS rollback (
    incident TEXT PRIMARY KEY, signed TEXT, at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS rollback_call (
    incident TEXT NOT NULL, call TEXT NOT NULL, executor TEXT NOT NULL, state TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (incident, call)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS rollback_executor ON rollback_call (executor, state);
`;

/** Rollbacks in the node's database; see the port. */
export class SqliteRollbackStore implements RollbackStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  isBegun(incident: string): boolean {
    return this.#tables.statements.isBegun.get(incident) !== undefined;
  }

  async begin({ incident, signed, at }: Rollback, undos: readonly Undo[], dropBeforeMs: number): Promise<void> {
    await this.#tables.write(({ begin, add, dropCalls, drop }) => {
      begin.run(incident, signed, at);
      for (const undo of undos) add.run(incident, undo.request, undo.executor, undo.state, JSON.stringify(undo));
      dropCalls.run(dropBeforeMs);
      drop.run(dropBeforeMs);
    });
  }

  async save(undo: Undo): Promise<void> {
    const { incident, request, state } = undo;
    await this.#tables.write(({ save }) => save.run(state, JSON.stringify(undo), incident, request));
  }

  list(limit: number): readonly Undo[] {
    return this.#tables.statements.list.all(limit).map(undoOf);
  }

  find(incident: string, call: string): Undo | null {
    const row = this.#tables.statements.find.get(incident, call);
    return row === undefined ? null : undoOf(row);
  }

  waiting(executor: string, limit: number): readonly { readonly undo: Undo; readonly signed: string }[] {
    return this.#tables.statements.waiting.all(executor, limit).map((row) =>
      ({ undo: undoOf(row), signed: String(row['signed']) }));
  }
}

function undoOf(row: Record<string, unknown>): Undo {
  return JSON.parse(String(row['value'])) as Undo;
}

function prepare({ database }: BatchedDatabase) {
  const of = 'FROM rollback_call JOIN rollback USING (incident)';
  return {
    isBegun: database.prepare('SELECT 1 FROM rollback WHERE incident = ?'),
    begin: database.prepare('INSERT INTO rollback VALUES (?, ?, ?)'),
    add: database.prepare('INSERT OR IGNORE INTO rollback_call VALUES (?, ?, ?, ?, ?)'),
    save: database.prepare('UPDATE rollback_call SET state = ?, value = ? WHERE incident = ? AND call = ?'),
    find: database.prepare('SELECT value FROM rollback_call WHERE incident = ? AND call = ?'),
    list: database.prepare(`SELECT value ${of} ORDER BY at DESC, rollback_call.rowid LIMIT ?`),
    waiting: database.prepare(
      `SELECT value, signed ${of} WHERE executor = ? AND state = 'waiting' AND signed IS NOT NULL ORDER BY at LIMIT ?`,
    ),
    dropCalls: database.prepare('DELETE FROM rollback_call WHERE incident IN (SELECT incident FROM rollback WHERE at < ?)'),
    drop: database.prepare('DELETE FROM rollback WHERE at < ?'),
  };
}
