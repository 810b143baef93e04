// SPDX-License-Identifier: Apache-2.0
import type { MandateStore, RegisteredMandate } from '../control/mandate-registry.ts';
import { readUnverified } from '../mandate/narrow.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';
import { TableGateway } from './table-gateway.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS mandate (
    id TEXT PRIMARY KEY, task TEXT NOT NULL, chain TEXT NOT NULL, at INTEGER NOT NULL,
    delegate TEXT NOT NULL, expires_at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS mandate_at ON mandate (at);
  CREATE INDEX IF NOT EXISTS mandate_task ON mandate (task, at);
  CREATE INDEX IF NOT EXISTS mandate_newest ON mandate (task, delegate, at);
  CREATE INDEX IF NOT EXISTS mandate_longest ON mandate (task, delegate, expires_at);
`;

/** Registered mandates of a node in SQLite; those on their way to the disk are seen at once. */
export class SqliteMandateStore implements MandateStore {
  readonly #tables: TableGateway<ReturnType<typeof prepare>>;
  readonly #adding = new Map<string, RegisteredMandate>();

  constructor(db: BatchedDatabase) {
    addColumns(db);
    this.#tables = new TableGateway(db, schema, prepare);
  }

  has(id: string): boolean {
    return this.#adding.has(id) || this.#tables.statements.has.get(id) !== undefined;
  }

  /** To whom it was given, as the last of its path; null where none of this id is registered. */
  delegateOf(id: string): string | null {
    const row = this.#tables.statements.delegate.get(id);
    return this.#adding.get(id)?.delegate ?? (row === undefined ? null : String(row['delegate']));
  }

  /** For people who look; null where none of this id is registered. */
  chainOf(id: string): string | null {
    const row = this.#tables.statements.chain.get(id);
    return row === undefined ? null : String(row['chain']);
  }

  first(task: string): RegisteredMandate | null {
    return this.ofTask(task, 1)[0] ?? null;
  }

  ofDelegate(task: string, delegate: string, limit: number): readonly RegisteredMandate[] {
    const { newestOf, longestOf } = this.#tables.statements;
    const rows = [...newestOf.all(task, delegate), ...longestOf.all(task, delegate, limit)];
    const found = new Map(rows.map(mandateOf).map((mandate) => [mandate.id, mandate]));
    for (const mandate of this.#adding.values()) {
      if (mandate.task === task && mandate.delegate === delegate) found.set(mandate.id, mandate);
    }
    return [...found.values()];
  }

  ofTask(task: string, limit: number): readonly RegisteredMandate[] {
    const stored = this.#tables.statements.ofTask.all(task, limit).map(mandateOf);
    if (this.#adding.size === 0) return stored;
    const adding = [...this.#adding.values()].filter((mandate) => mandate.task === task);
    return [...stored, ...adding].slice(0, limit);
  }

  newest(limit: number): readonly RegisteredMandate[] {
    return this.#tables.statements.newest.all(limit).map(mandateOf);
  }

  async add(mandate: RegisteredMandate): Promise<void> {
    const { id, task, chain, at, delegate, expiresAt } = mandate;
    this.#adding.set(id, mandate);
    try {
      await this.#tables.write(({ add }) =>
        add.run(id, task, chain, at, delegate, expiresAt));
    } finally {
      this.#adding.delete(id);
    }
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#tables.write(({ prune }) => prune.run(beforeMs));
  }
}

/** A table of an earlier version knew neither the delegate nor the end of a chain. */
function addColumns({ database }: BatchedDatabase): void {
  const columns = database.prepare('PRAGMA table_info(mandate)').all().map((row) => row['name']);
  if (columns.length === 0 || columns.includes('delegate')) return;
  database.exec(`
    BEGIN;
    ALTER TABLE mandate ADD COLUMN delegate TEXT NOT NULL DEFAULT '';
    ALTER TABLE mandate ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
  `);
  const update = database.prepare('UPDATE mandate SET delegate = ?, expires_at = ? WHERE id = ?');
  for (const row of database.prepare('SELECT id, chain FROM mandate').all()) {
    const read = readUnverified(String(row['chain']));
    if (!read.ok) continue;
    const { path, expiresAt } = read.mandate;
    update.run(path.at(-1) ?? '', expiresAt, String(row['id']));
  }
  database.exec('COMMIT');
}

function prepare({ database }: BatchedDatabase) {
  return {
    ofTask: database.prepare('SELECT * FROM mandate WHERE task = ? ORDER BY at, rowid LIMIT ?'),
    delegate: database.prepare('SELECT delegate FROM mandate WHERE id = ?'),
    chain: database.prepare('SELECT chain FROM mandate WHERE id = ?'),
    has: database.prepare('SELECT 1 FROM mandate WHERE id = ?'),
    newestOf: database.prepare(
      'SELECT * FROM mandate WHERE task = ? AND delegate = ? ORDER BY at DESC, rowid DESC LIMIT 1',
    ),
    longestOf: database.prepare(
      'SELECT * FROM mandate WHERE task = ? AND delegate = ? ORDER BY expires_at DESC LIMIT ?',
    ),
    newest: database.prepare('SELECT * FROM mandate ORDER BY at DESC, rowid DESC LIMIT ?'),
    add: database.prepare('INSERT OR IGNORE INTO mandate VALUES (?, ?, ?, ?, ?, ?)'),
    prune: database.prepare('DELETE FROM mandate WHERE at < ?'),
  };
}

function mandateOf(row: Record<string, unknown>): RegisteredMandate {
  return {
    id: String(row['id']),
    task: String(row['task']),
    delegate: String(row['delegate']),
    chain: String(row['chain']),
    expiresAt: Number(row['expires_at']),
    at: Number(row['at']),
  };
}
