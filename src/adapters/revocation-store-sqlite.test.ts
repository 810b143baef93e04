// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RevocationChange } from '../identity/revocation.ts';
import { SqliteRevocationStore } from './revocation-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const nowMs = 1_760_000_000_000;
let folder: string;
let database: BatchedDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maso-revocation-'));
  database = new BatchedDatabase(join(folder, 'node.sqlite'));
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function step(version: number, at = nowMs): RevocationChange {
  const target = { kind: 'instance', value: `spiffe://maso.local/agent/payments/${version}` } as const;
  return { version, id: `id-${version}`, op: 'revoke', target, at, signed: 'signed' };
}

describe('a kept revocation list', () => {
  it('is there after a restart, with what is not on record', async () => {
    const store = new SqliteRevocationStore(database);
    await store.add([step(1), step(2)], 2);
    await store.recorded(1);
    database.close();
    database = new BatchedDatabase(join(folder, 'node.sqlite'));
    const again = new SqliteRevocationStore(database);
    expect(again.load(nowMs).changes()).toEqual([step(1), step(2)]);
    expect(again.unrecorded()).toEqual([step(2)]);
    expect(again.byId('id-2')).toEqual(step(2));
    expect(again.byId('id-3')).toBeNull();
  });

  it('never goes back to an older version, also when all it held is dead', async () => {
    const store = new SqliteRevocationStore(database);
    await store.add([step(5, 0)], 5);
    await store.add([], 3);
    const list = store.load(nowMs);
    expect(list.changes()).toEqual([]);
    expect(list.version).toBe(5);
  });
});
