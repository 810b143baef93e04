// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { itemStoreSuite } from '../knowledge/item-store.suite.ts';
import { SqliteItemStore } from './item-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const opened: BatchedDatabase[] = [];
let folder = '';

afterEach(() => {
  for (const database of opened.splice(0)) database.close();
  rmSync(folder, { recursive: true });
});

itemStoreSuite(() => {
  folder = mkdtempSync(join(tmpdir(), 'maso-items-'));
  const open = (): SqliteItemStore => {
    const database = new BatchedDatabase(join(folder, 'knowledge.sqlite'));
    opened.push(database);
    return new SqliteItemStore(database);
  };
  return { store: open(), again: open };
});
