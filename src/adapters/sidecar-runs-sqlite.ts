// SPDX-License-Identifier: Apache-2.0
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS sidecar_run (
    spiffe_id TEXT PRIMARY KEY, run TEXT NOT NULL, seen_at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS sidecar_run_seen ON sidecar_run (seen_at);
`;

/** No identity is resumed after its SVID has ended, which takes an hour at most. */
const keptMs = 2 * 3_600_000;

/**
 * The run of a sidecar that connected last under each identity, in SQLite. Written soon after: a
 * crash in between leaves an earlier run, which the sidecar's own list still knows.
 */
export class SqliteSidecarRuns {
  readonly #db: BatchedDatabase;
  readonly #runs = new Map<string, string>();
  readonly #note;
  readonly #forget;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#note = db.database.prepare('INSERT OR REPLACE INTO sidecar_run VALUES (?, ?, ?)');
    this.#forget = db.database.prepare('DELETE FROM sidecar_run WHERE seen_at < ?');
    for (const row of db.database.prepare('SELECT * FROM sidecar_run').all()) {
      this.#runs.set(String(row['spiffe_id']), String(row['run']));
    }
  }

  last(spiffeId: string): string | null {
    return this.#runs.get(spiffeId) ?? null;
  }

  async note(spiffeId: string, run: string, nowMs: number): Promise<void> {
    this.#runs.set(spiffeId, run);
    await this.#db.writeSoon(() => {
      this.#forget.run(nowMs - keptMs);
      this.#note.run(spiffeId, run, nowMs);
    });
  }
}
