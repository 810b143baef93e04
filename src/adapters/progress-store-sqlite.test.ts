// SPDX-License-Identifier: Apache-2.0
import { MemoryProgressStore } from '../intent/progress-memory.ts';
import { progressStoreSuite } from '../intent/progress.suite.ts';
import { SqliteProgressStore } from './progress-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

progressStoreSuite('SQLite', () => {
  const database = new BatchedDatabase(':memory:');
  return { open: () => new SqliteProgressStore(database) };
});

progressStoreSuite('memory', () => {
  const store = new MemoryProgressStore();
  return { open: () => store };
});
