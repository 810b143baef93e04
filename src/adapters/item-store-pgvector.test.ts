// SPDX-License-Identifier: Apache-2.0
// The suite of every store on the real pgvector: Debian 12 has no package of it, so Postgres 18 with it runs as
// WebAssembly in this process, behind a unix socket. One backend serves all connections in turn, so what needs
// several at a time, a crash, passwords and TLS is tried on a Postgres of the machine (`item-store-postgres.test.ts`).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresStoreSuite } from '../../test/postgres/store-suite.ts';
import { vectorLength } from '../knowledge/blind.ts';
import { storedItem } from '../knowledge/item-store.suite.ts';
import { PostgresItemStore } from './item-store-postgres.ts';
import { openPostgres } from './postgres-pool.ts';

const port = 5432;
let folder: string;
let db: PGlite;
let server: PGLiteSocketServer;

async function storeOf(schema: string): Promise<PostgresItemStore> {
  // What a connection asks for at its start is not heeded: there is one session.
  await db.exec(`SET search_path TO ${schema}, public`);
  const settings = { host: folder, port, database: 'postgres', user: 'postgres', schema, password: null, caFile: null };
  return new PostgresItemStore(await openPostgres(settings), schema, 'this node');
}

describe('kept items in Postgres with pgvector', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'maso-pgvector-'));
    db = await PGlite.create({ extensions: { vector } });
    server = new PGLiteSocketServer({ db, path: join(folder, `.s.PGSQL.${port}`), maxConnections: 32 });
    await server.start();
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await db?.close();
    rmSync(folder, { recursive: true });
  });
  const keepOpen = postgresStoreSuite(storeOf);

  test('the extension is the real one, and orders by its own inner product', async () => {
    const store = await storeOf('real');
    keepOpen(Promise.resolve(store));
    const axis = (place: number): Float32Array => new Float32Array(vectorLength).fill(0).with(place, 1);
    await store.add([1, 2, 3].map((number) => storedItem(number, { vector: axis(number) })));
    const { rows: [row] } = await db.query<{ extversion: string; type: string }>(`
      SELECT extversion, pg_typeof(vector)::text AS type FROM pg_extension, real.item WHERE extname = 'vector' LIMIT 1`);
    expect([row?.extversion.split('.').length, row?.type]).toEqual([3, 'vector']);
    const near = await store.nearest('memory/a', axis(2), 1, () => true);
    expect(near.map(({ item, similarity }) => [item.id, similarity])).toEqual([[storedItem(2).id, 1]]);
  });
});
