// SPDX-License-Identifier: Apache-2.0
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { PaceClamp, PaceView } from '../pace/pace-view.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS pace_heard (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), version INTEGER NOT NULL
  ) STRICT;
`;

/** Nobody has said yet what this agent may do. */
const unheard: PaceClamp = { phase: 'PRIMARY', allows: 'nothing' };

/**
 * What PACE lets one agent do, as its node said last. The version is kept: a node that knows less
 * than it knew before has lost something, and is not believed. The clamp itself is not kept; after a
 * start nothing is allowed until the node has spoken.
 */
export class HeldClamp implements PaceView {
  readonly #agent: string;
  readonly #db: BatchedDatabase;
  readonly #save;
  #version: number;
  #clamp: PaceClamp = unheard;

  constructor(agent: string, db: BatchedDatabase) {
    this.#agent = agent;
    this.#db = db;
    db.database.exec(schema);
    const known = db.database.prepare('SELECT version FROM pace_heard').get();
    this.#version = Number(known?.['version'] ?? 0);
    this.#save = db.database.prepare(
      `INSERT INTO pace_heard VALUES (1, ?)
       ON CONFLICT (slot) DO UPDATE SET version = max(version, excluded.version)`,
    );
  }

  get version(): number {
    return this.#version;
  }

  /** Of its own agent only; of any other it knows nothing, and allows nothing. */
  clamp(agent: string): PaceClamp {
    return agent === this.#agent ? this.#clamp : { phase: 'EMERGENCY', allows: 'nothing' };
  }

  /** False where the version lies behind what was heard before; then nothing changes. */
  take(version: number, clamp: PaceClamp, failed: (failure: unknown) => void): boolean {
    if (version < this.#version) return false;
    const isNew = version > this.#version;
    this.#version = version;
    this.#clamp = clamp;
    if (isNew) this.#db.write(() => this.#save.run(version)).catch(failed);
    return true;
  }
}
