// SPDX-License-Identifier: Apache-2.0
import { childStoreSuite } from '../control/child-store.suite.ts';
import { SqliteChildStore } from './child-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

childStoreSuite('SQLite', () => {
  const database = new BatchedDatabase(':memory:');
  return { open: () => new SqliteChildStore(database) };
});
