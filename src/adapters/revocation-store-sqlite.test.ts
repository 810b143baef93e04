// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { revocationStoreSuite } from '../control/revocation-store.suite.ts';
import { SqliteRevocationStore } from './revocation-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const folder = mkdtempSync(join(tmpdir(), 'maso-revocation-'));
afterAll(() => rmSync(folder, { recursive: true }));
let disks = 0;

revocationStoreSuite('SQLite', () => {
  const path = join(folder, `node-${(disks += 1)}.sqlite`);
  return { open: () => new SqliteRevocationStore(new BatchedDatabase(path)) };
});
