// SPDX-License-Identifier: Apache-2.0
import { parentOf, type Child, type ChildStore } from '../control/child.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS child (
    instance TEXT PRIMARY KEY, parent TEXT NOT NULL, key TEXT NOT NULL,
    settled INTEGER NOT NULL, ended_at INTEGER, value TEXT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS child_by_key ON child (parent, key);
`;

/** Spawned agents in SQLite; see the port. */
export class SqliteChildStore implements ChildStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  unsettled(): readonly Child[] {
    return this.#tables.statements.unsettled.all().map(childOf);
  }

  byKey(parent: string, key: string): Child | null {
    const row = this.#tables.statements.byKey.get(parent, key);
    return row === undefined ? null : childOf(row);
  }

  async save(child: Child): Promise<void> {
    const { instance, key, settled, endedAt } = child;
    const value = JSON.stringify(child);
    await this.#tables.write(({ save }) =>
      save.run(instance, parentOf(child), key, Number(settled), endedAt, value));
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#tables.write(({ prune }) => prune.run(beforeMs));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    unsettled: database.prepare('SELECT value FROM child WHERE settled = 0'),
    byKey: database.prepare('SELECT value FROM child WHERE parent = ? AND key = ?'),
    save: database.prepare(
      `INSERT INTO child VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (instance)
       DO UPDATE SET settled = excluded.settled, ended_at = excluded.ended_at, value = excluded.value`,
    ),
    prune: database.prepare('DELETE FROM child WHERE settled = 1 AND ended_at < ?'),
  };
}

function childOf(row: Record<string, unknown>): Child {
  return JSON.parse(String(row['value'])) as Child;
}
