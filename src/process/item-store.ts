// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { PostgresItemStore } from '../adapters/item-store-postgres.ts';
import { SqliteItemStore } from '../adapters/item-store-sqlite.ts';
import { openPostgres } from '../adapters/postgres-pool.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { ItemStore } from '../knowledge/item-store.ts';
import { KnowledgeError } from '../knowledge/knowledge-error.ts';
import { faultOf } from './fault.ts';
import type { Plane } from './node-parts.ts';

/** Wrong until somebody changes something: the start fails. A database that is away comes back. */
const lasting: ReadonlySet<string> = new Set(['KNOWLEDGE_STORE_VECTOR', 'KNOWLEDGE_STORE_FOREIGN']);

/**
 * Where kept items lie: in the node's own file, or in the database that the mesh file names. Rejects where
 * that can never serve; where it is away now, each ask is refused until it is back.
 */
export async function openItemStore(
  database: BatchedDatabase,
  { live, log }: Pick<Plane, 'live' | 'log'>,
): Promise<ItemStore> {
  const settings = live.mesh.knowledgeStore ?? null;
  const own = new SqliteItemStore(database);
  if (settings === null) return own;
  if ((await own.list(null, '', 1)).length > 0) {
    log('node: knowledge: what knowledge.sqlite holds is not served while knowledge_store names a database');
  }
  const store = new PostgresItemStore(await openPostgres(settings), settings.schema, ownerOf(database));
  try {
    await store.prepare();
  } catch (failure) {
    if (failure instanceof KnowledgeError && lasting.has(failure.code)) throw failure;
    log(`node: knowledge: ${faultOf(failure)}`);
  }
  return store;
}

/** What tells this state directory from every other, made once. */
function ownerOf({ database }: BatchedDatabase): string {
  database.exec('CREATE TABLE IF NOT EXISTS store_owner (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL)');
  database.prepare('INSERT OR IGNORE INTO store_owner VALUES (1, ?)').run(randomBytes(16).toString('base64url'));
  return String(database.prepare('SELECT id FROM store_owner').get()?.['id']);
}
