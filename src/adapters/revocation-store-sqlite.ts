// SPDX-License-Identifier: Apache-2.0
import { RevocationList, type RevocationChange } from '../identity/revocation.ts';
import type { RevocationStore } from '../control/revocations.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS revocation (
    version INTEGER PRIMARY KEY, id TEXT NOT NULL, recorded INTEGER NOT NULL, value TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS revocation_id ON revocation (id);
  CREATE INDEX IF NOT EXISTS revocation_unrecorded ON revocation (recorded) WHERE recorded = 0;
  CREATE TABLE IF NOT EXISTS revocation_version (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), version INTEGER NOT NULL
  );
`;

/** The revocation list of a node, or a sidecar's copy of it, in SQLite; see the port. */
export class SqliteRevocationStore implements RevocationStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  load(nowMs: number): RevocationList {
    const changes = this.#tables.statements.all.all().map(changeOf);
    const version = Number(this.#tables.statements.version.get()?.['version'] ?? 0);
    return new RevocationList(changes, version, nowMs);
  }

  byId(id: string): RevocationChange | null {
    const row = this.#tables.statements.byId.get(id);
    return row === undefined ? null : changeOf(row);
  }

  async add(changes: readonly RevocationChange[], version: number): Promise<void> {
    await this.#tables.write(({ add, setVersion }) => {
      for (const change of changes) {
        add.run(change.version, change.id, JSON.stringify(change));
      }
      setVersion.run(version);
    });
  }

  unrecorded(): readonly RevocationChange[] {
    return this.#tables.statements.unrecorded.all().map(changeOf);
  }

  async recorded(version: number): Promise<void> {
    await this.#tables.write(({ recorded }) => recorded.run(version));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    all: database.prepare('SELECT value FROM revocation ORDER BY version'),
    byId: database.prepare('SELECT value FROM revocation WHERE id = ? ORDER BY version'),
    add: database.prepare('INSERT OR IGNORE INTO revocation VALUES (?, ?, 0, ?)'),
    version: database.prepare('SELECT version FROM revocation_version'),
    // Whatever is written, the version never goes back.
    setVersion: database.prepare(
      `INSERT INTO revocation_version VALUES (1, ?)
       ON CONFLICT (slot) DO UPDATE SET version = max(version, excluded.version)`,
    ),
    unrecorded: database.prepare(
      'SELECT value FROM revocation WHERE recorded = 0 ORDER BY version',
    ),
    recorded: database.prepare('UPDATE revocation SET recorded = 1 WHERE version = ?'),
  };
}

function changeOf(row: Record<string, unknown>): RevocationChange {
  return JSON.parse(String(row['value'])) as RevocationChange;
}
