// SPDX-License-Identifier: Apache-2.0
import type { PutAsideStore } from '../control/put-aside.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

/** What was put aside, in the node's SQLite file; see the port. */
export function sqlitePutAside(db: BatchedDatabase): PutAsideStore {
  const { database } = db;
  database.exec(`CREATE TABLE IF NOT EXISTS put_aside (
    agent TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (agent, message)
  ) WITHOUT ROWID`);
  const load = database.prepare('SELECT agent, message FROM put_aside WHERE at > ? ORDER BY at');
  const add = database.prepare('INSERT OR IGNORE INTO put_aside VALUES (?, ?, ?)');
  const drop = database.prepare('DELETE FROM put_aside WHERE at <= ?');
  return {
    load: (sinceMs) => load.all(Math.floor(sinceMs))
      .map((row) => ({ agent: String(row['agent']), message: String(row['message']) })),
    add: async (rows, nowMs, forgetMs) => {
      await db.write(() => {
        for (const { agent, message } of rows) add.run(agent, message, Math.floor(nowMs));
        drop.run(Math.floor(forgetMs));
      });
    },
  };
}
