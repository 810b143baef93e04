// SPDX-License-Identifier: Apache-2.0
import type { DataKeyRecord, DataKeyStore } from '../protection/data-key-store.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS data_key (
    id TEXT PRIMARY KEY, binding TEXT NOT NULL, wrapped BLOB NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS data_key_expiry ON data_key (expires_at);
`;

/** Wrapped data keys in the node's SQLite file; see the port for the contract. */
export class SqliteDataKeyStore implements DataKeyStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;

  constructor(db: BatchedDatabase) {
    this.#tables = new TableGateway(db, schema, prepare);
  }

  async add({ id, binding, wrapped, expiresAt }: DataKeyRecord): Promise<void> {
    await this.#tables.write(({ add }) => add.run(id, binding, wrapped, expiresAt));
  }

  get(id: string): DataKeyRecord | null {
    const row = this.#tables.statements.get.get(id);
    const wrapped = row?.['wrapped'];
    if (row === undefined || !(wrapped instanceof Uint8Array)) return null;
    return { id, binding: String(row['binding']), wrapped, expiresAt: Number(row['expires_at']) };
  }

  ids(after: string, limit: number): readonly string[] {
    return this.#tables.statements.ids.all(after, limit).map((row) => String(row['id']));
  }

  async rewrapped(id: string, wrapped: Uint8Array): Promise<void> {
    await this.#tables.write(({ rewrapped }) => rewrapped.run(wrapped, id));
  }

  async prune(nowMs: number): Promise<void> {
    if (this.#tables.statements.anyExpired.get(nowMs) === undefined) return;
    await this.#tables.writeSoon(({ prune }) => prune.run(nowMs));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    add: database.prepare('INSERT OR IGNORE INTO data_key VALUES (?, ?, ?, ?)'),
    get: database.prepare('SELECT * FROM data_key WHERE id = ?'),
    ids: database.prepare('SELECT id FROM data_key WHERE id > ? ORDER BY id LIMIT ?'),
    rewrapped: database.prepare('UPDATE data_key SET wrapped = ? WHERE id = ?'),
    anyExpired: database.prepare('SELECT 1 FROM data_key WHERE expires_at < ? LIMIT 1'),
    prune: database.prepare('DELETE FROM data_key WHERE expires_at < ?'),
  };
}
