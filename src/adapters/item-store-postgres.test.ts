// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverIdentity } from '../../test/export-standins/certificates.ts';
import { until } from '../../test/mesh-harness/running-mesh.ts';
import { hasVector, startCluster, withoutPostgres, type Cluster } from '../../test/postgres/cluster.ts';
import { postgresStoreSuite } from '../../test/postgres/store-suite.ts';
import { storedItem } from '../knowledge/item-store.suite.ts';
import { KnowledgeError } from '../knowledge/knowledge-error.ts';
import type { KnowledgeStoreSettings } from '../mesh/knowledge-settings.ts';
import { PostgresItemStore } from './item-store-postgres.ts';
import { openPostgres } from './postgres-pool.ts';

let cluster: Cluster;

async function storeAt(settings: KnowledgeStoreSettings, owner = 'this node'): Promise<PostgresItemStore> {
  return new PostgresItemStore(await openPostgres(settings), settings.schema, owner);
}

const over = hasVector ? 'with pgvector' : 'with a stand-in for pgvector, which is not installed';

describe.skipIf(withoutPostgres !== '')(`kept items in Postgres, ${over}${withoutPostgres}`, () => {
  beforeAll(async () => {
    cluster = await startCluster();
  }, 120_000);
  afterAll(() => cluster?.close());
  postgresStoreSuite((schema) => storeAt({ ...cluster.socket, schema }));

  const codeOf = (settings: KnowledgeStoreSettings, owner?: string): Promise<unknown> =>
    storeAt(settings, owner).then(async (store) => {
      const ended = await store.prepare().then(() => null, (failure: unknown) => failure);
      await store.close();
      return ended instanceof KnowledgeError ? ended.code : ended;
    });

  test('are refused to another node, and nothing of theirs is touched', async () => {
    const settings = { ...cluster.socket, schema: 'owned' };
    expect(await codeOf(settings, 'first')).toBeNull();
    expect(await codeOf(settings, 'second')).toBe('KNOWLEDGE_STORE_FOREIGN');
    expect(await codeOf(settings, 'first')).toBeNull();
  });

  test('travel under TLS with a certificate of the name that was asked for, from an authority that was named', async () => {
    const settings = { ...cluster.tls, schema: 'over_tls' };
    expect(await codeOf(settings)).toBeNull();
    const other = await serverIdentity();
    expect(await codeOf({ ...settings, caFile: other.caFile })).toBe('KNOWLEDGE_UNAVAILABLE');
    expect(await codeOf({ ...settings, host: '127.0.0.1' })).toBe('KNOWLEDGE_UNAVAILABLE');
    const [row] = await cluster.query(`SELECT count(*) AS n FROM pg_stat_ssl WHERE version = 'TLSv1.3'`);
    expect(row).toBeDefined();
  });

  test('need the password: wrong, absent, readable by others and unset are refused, and none is in the failure', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'maso-pg-password-'));
    const fileOf = (text: string, mode: number) => {
      const path = join(folder, `${mode}-${text.length}`);
      writeFileSync(path, text);
      chmodSync(path, mode);
      return { kind: 'file', path } as const;
    };
    const withPassword = (password: KnowledgeStoreSettings['password']): KnowledgeStoreSettings =>
      ({ ...cluster.socket, schema: 'kept', password });
    expect(await codeOf(withPassword(fileOf('another password', 0o600)))).toBe('KNOWLEDGE_UNAVAILABLE');
    expect(await codeOf(withPassword(fileOf(cluster.password, 0o644)))).toBe('KNOWLEDGE_STORE_PASSWORD');
    expect(await codeOf(withPassword({ kind: 'file', path: join(folder, 'nowhere') }))).toBe('KNOWLEDGE_STORE_PASSWORD');
    expect(await codeOf(withPassword(null))).toBe('KNOWLEDGE_UNAVAILABLE');
    expect(await codeOf(withPassword({ kind: 'env', name: 'MASO_TEST_UNSET' }))).toBe('KNOWLEDGE_UNAVAILABLE');
    process.env['MASO_TEST_PG_PASSWORD'] = cluster.password;
    expect(await codeOf(withPassword({ kind: 'env', name: 'MASO_TEST_PG_PASSWORD' }))).toBeNull();
    expect(process.env['MASO_TEST_PG_PASSWORD']).toBeUndefined();
    const store = await storeAt(withPassword(fileOf('a wrong secret', 0o600)));
    const failure: unknown = await store.get('x').catch((thrown: unknown) => thrown);
    expect(String(failure)).not.toContain('secret');
    await store.close();
  });

  test.each([
    ['what puts aside waits for a read or a write that has begun', '_shared', ['putAside']],
    ['a read or a write waits for what puts aside', '', ['add', 'noteReads']],
  ] as const)('%s', async (_, held, methods) => {
    const schema = `locked${held}`;
    const store = await storeAt({ ...cluster.socket, schema });
    await store.prepare();
    const acts = {
      putAside: () => store.putAside([], ['run-1']),
      add: () => store.add([storedItem(1)]),
      noteReads: () => store.noteReads('run-1', 'call-1', [storedItem(1).id]),
    };
    const other = await cluster.connect();
    for (const method of methods) {
      await other.query('BEGIN');
      await other.query(`SELECT pg_advisory_xact_lock${held}(hashtext('maso.knowledge'), hashtext('${schema}'))`);
      let isOver = false;
      const acting = acts[method]().then(() => (isOver = true));
      await until(`${method} waits`, async () =>
        isOver || (await cluster.query('SELECT FROM pg_locks WHERE NOT granted')).length > 0 || undefined);
      expect([method, isOver]).toEqual([method, false]);
      await other.query('COMMIT');
      await acting;
    }
    await other.end();
    await store.close();
  });

  test('are there again after the server crashed, with what was kept, and each ask is refused until then', async () => {
    const store = await storeAt({ ...cluster.socket, schema: 'crashed' });
    await store.add([storedItem(1)]);
    await cluster.stop();
    await expect(store.get(storedItem(1).id)).rejects.toMatchObject({ code: 'KNOWLEDGE_UNAVAILABLE' });
    await cluster.start();
    // A connection of before may break once more.
    await store.get(storedItem(1).id).catch(() => null);
    expect(await store.get(storedItem(1).id)).toEqual(storedItem(1));
    await store.close();
  });
});
