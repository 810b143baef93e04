// SPDX-License-Identifier: Apache-2.0
import type { GraphStore } from '../anomaly/graph.ts';
import type { ScoreStore } from '../anomaly/scorer.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS anomaly_agent (agent TEXT PRIMARY KEY, learned BLOB NOT NULL) STRICT;
`;

/** Baselines of agents in the node's database; see the port. Nobody waits for it, so it goes with other writes. */
export class SqliteScoreStore implements ScoreStore {
  readonly #db: BatchedDatabase;
  readonly #save;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#save = db.database.prepare(
      'INSERT INTO anomaly_agent VALUES (?, ?) ON CONFLICT (agent) DO UPDATE SET learned = excluded.learned',
    );
  }

  load(): ReadonlyMap<string, Float64Array> {
    const rows = this.#db.database.prepare('SELECT agent, learned FROM anomaly_agent').all();
    return new Map(rows.flatMap(({ agent, learned }) => {
      const isWhole = learned instanceof Uint8Array && learned.byteLength % Float64Array.BYTES_PER_ELEMENT === 0;
      return isWhole ? [[String(agent), new Float64Array(Uint8Array.from(learned).buffer)] as const] : [];
    }));
  }

  async save(agent: string, kept: Float64Array): Promise<void> {
    const bytes = new Uint8Array(kept.slice().buffer);
    await this.#db.writeSoon(() => this.#save.run(agent, bytes));
  }
}

/** Whom agents speak to, in the node's database; see the port. */
export class SqliteGraphStore implements GraphStore {
  readonly #db: BatchedDatabase;
  readonly #save;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec('CREATE TABLE IF NOT EXISTS anomaly_edges (agent TEXT PRIMARY KEY, kept TEXT NOT NULL) STRICT');
    this.#save = db.database.prepare(
      'INSERT INTO anomaly_edges VALUES (?, ?) ON CONFLICT (agent) DO UPDATE SET kept = excluded.kept',
    );
  }

  load(): ReadonlyMap<string, string> {
    const rows = this.#db.database.prepare('SELECT agent, kept FROM anomaly_edges').all();
    return new Map(rows.map(({ agent, kept }) => [String(agent), String(kept)] as const));
  }

  async save(agent: string, kept: string): Promise<void> {
    await this.#db.writeSoon(() => this.#save.run(agent, kept));
  }
}
