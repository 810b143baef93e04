// SPDX-License-Identifier: Apache-2.0
import type { EndorsementStore } from '../sidecar/endorsements.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS endorsement (key TEXT PRIMARY KEY, ends_at INTEGER NOT NULL) STRICT;
`;

/** Endorsements in the sidecar's SQLite file; see the port. */
export class SqliteEndorsementStore implements EndorsementStore {
  readonly #db: BatchedDatabase;
  readonly #keep;
  readonly #prune;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#keep = db.database.prepare(
      'INSERT INTO endorsement VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET ends_at = excluded.ends_at',
    );
    this.#prune = db.database.prepare('DELETE FROM endorsement WHERE ends_at <= ?');
  }

  load(nowMs: number): ReadonlyMap<string, number> {
    const rows = this.#db.database
      .prepare('SELECT key, ends_at FROM endorsement WHERE ends_at > ? ORDER BY ends_at')
      .all(nowMs);
    return new Map(rows.map((row) => [String(row['key']), Number(row['ends_at'])]));
  }

  async keep(endorsed: ReadonlyMap<string, number>, nowMs: number): Promise<void> {
    await this.#db.write(() => {
      this.#prune.run(nowMs);
      for (const [key, endsAt] of endorsed) this.#keep.run(key, endsAt);
    });
  }
}
