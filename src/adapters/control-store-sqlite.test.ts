// SPDX-License-Identifier: Apache-2.0
import { approvalStoreSuite } from '../oversight/approval-store.suite.ts';
import { SqliteApprovalStore } from './control-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

approvalStoreSuite('SQLite', () => {
  const database = new BatchedDatabase(':memory:');
  return { open: () => new SqliteApprovalStore(database) };
});
