// SPDX-License-Identifier: Apache-2.0
import type { MandateStore, RegisteredMandate } from '../control/mandate-registry.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS mandate (
    id TEXT PRIMARY KEY, task TEXT NOT NULL, chain TEXT NOT NULL, at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS mandate_task ON mandate (task, at);
`;

/** Registered mandates of a node in SQLite; those on their way to the disk are seen at once. */
export class SqliteMandateStore implements MandateStore {
  readonly #db: BatchedDatabase;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #adding = new Map<string, RegisteredMandate>();

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#statements = prepare(db);
  }

  ofTask(task: string): readonly RegisteredMandate[] {
    const stored = this.#statements.ofTask.all(task).map(mandateOf);
    if (this.#adding.size === 0) return stored;
    const adding = [...this.#adding.values()].filter((mandate) => mandate.task === task);
    return [...stored, ...adding];
  }

  newest(limit: number): readonly RegisteredMandate[] {
    return this.#statements.newest.all(limit).map(mandateOf);
  }

  async add(mandate: RegisteredMandate): Promise<void> {
    const { id, task, chain, at } = mandate;
    this.#adding.set(id, mandate);
    try {
      await this.#db.write(() => this.#statements.add.run(id, task, chain, at));
    } finally {
      this.#adding.delete(id);
    }
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#db.write(() => this.#statements.prune.run(beforeMs));
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    ofTask: database.prepare('SELECT * FROM mandate WHERE task = ? ORDER BY at, rowid'),
    newest: database.prepare('SELECT * FROM mandate ORDER BY at DESC, rowid DESC LIMIT ?'),
    add: database.prepare('INSERT OR IGNORE INTO mandate VALUES (?, ?, ?, ?)'),
    prune: database.prepare('DELETE FROM mandate WHERE at < ?'),
  };
}

function mandateOf(row: Record<string, unknown>): RegisteredMandate {
  return {
    id: String(row['id']),
    task: String(row['task']),
    chain: String(row['chain']),
    at: Number(row['at']),
  };
}
