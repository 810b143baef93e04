// SPDX-License-Identifier: Apache-2.0
import { endorsementStoreSuite } from '../sidecar/endorsement-store.suite.ts';
import { SqliteEndorsementStore } from './endorsement-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

endorsementStoreSuite('SQLite', () => {
  const database = new BatchedDatabase(':memory:');
  return { open: () => new SqliteEndorsementStore(database) };
});
