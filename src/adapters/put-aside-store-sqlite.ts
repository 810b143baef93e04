// SPDX-License-Identifier: Apache-2.0
import type { PutAsideStore } from '../control/put-aside.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

/** What was put aside, in the node's SQLite file; see the port. */
export function sqlitePutAside(db: BatchedDatabase): PutAsideStore {
  const { database } = db;
  database.exec(`CREATE TABLE IF NOT EXISTS put_aside (
    agent TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (agent, message)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS run_aside (
    run TEXT PRIMARY KEY, subject TEXT NOT NULL, at INTEGER NOT NULL, agent TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE TABLE IF NOT EXISTS open_aside (
    subject TEXT NOT NULL, agent TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (subject, agent)
  ) STRICT, WITHOUT ROWID`);
  const columns = database.prepare('PRAGMA table_info(run_aside)').all().map((row) => row['name']);
  // Of before runs were kept with their agents.
  if (!columns.includes('agent')) database.exec(`ALTER TABLE run_aside ADD COLUMN agent TEXT NOT NULL DEFAULT ''`);
  const load = database.prepare('SELECT agent, message FROM put_aside WHERE at > ? ORDER BY at');
  const add = database.prepare('INSERT OR IGNORE INTO put_aside VALUES (?, ?, ?)');
  const drop = database.prepare('DELETE FROM put_aside WHERE at <= ?');
  const loadRuns = database.prepare('SELECT run, subject, agent FROM run_aside WHERE at > ? ORDER BY at, rowid');
  const addRun = database.prepare('INSERT OR IGNORE INTO run_aside (run, subject, at, agent) VALUES (?, ?, ?, ?)');
  const dropRuns = database.prepare('DELETE FROM run_aside WHERE at <= ?');
  const loadOpen = database.prepare('SELECT subject, agent FROM open_aside WHERE at > ? ORDER BY at, subject, agent');
  const open = database.prepare('INSERT OR REPLACE INTO open_aside VALUES (?, ?, ?)');
  const close = database.prepare('DELETE FROM open_aside WHERE subject = ? AND agent = ?');
  const dropOpen = database.prepare('DELETE FROM open_aside WHERE at <= ?');
  return {
    loadOpen: (sinceMs) => loadOpen.all(Math.floor(sinceMs))
      .map((row) => ({ subject: String(row['subject']), agent: agentOf(row['agent']) })),
    open: async (rows, nowMs, forgetMs) => {
      await db.write(() => {
        for (const { subject, agent } of rows) open.run(subject, agent ?? nobody, Math.floor(nowMs));
        dropOpen.run(Math.floor(forgetMs));
      });
    },
    close: async ({ subject, agent }) => {
      await db.write(() => close.run(subject, agent ?? nobody));
    },
    loadRuns: (sinceMs) => loadRuns.all(Math.floor(sinceMs))
      .map((row) => ({ run: String(row['run']), subject: String(row['subject']), agent: String(row['agent']) })),
    addRuns: async (runs, nowMs, forgetMs) => {
      await db.write(() => {
        for (const { run, subject, agent } of runs) addRun.run(run, subject, Math.floor(nowMs), agent);
        dropRuns.run(Math.floor(forgetMs));
      });
    },
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

/** No agent has an empty name. */
const nobody = '';

function agentOf(column: unknown): string | null {
  return column === nobody ? null : String(column);
}
