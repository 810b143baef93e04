// SPDX-License-Identifier: Apache-2.0
import type { AlignmentStore } from '../control/alignment-watch.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

/** Intent alignment scores in the node's SQLite file; see the port. */
export function sqliteAlignment(db: BatchedDatabase): AlignmentStore {
  const { database } = db;
  database.exec('CREATE TABLE IF NOT EXISTS alignment (agent TEXT PRIMARY KEY, score REAL NOT NULL)');
  const all = database.prepare('SELECT agent, score FROM alignment');
  const save = database.prepare('INSERT OR REPLACE INTO alignment VALUES (?, ?)');
  return {
    load: () => new Map(all.all().map((row) => [String(row['agent']), Number(row['score'])])),
    save: async (agent, score) => {
      await db.write(() => save.run(agent, score));
    },
  };
}
