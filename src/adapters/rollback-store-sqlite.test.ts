// SPDX-License-Identifier: Apache-2.0
import { rollbackStoreSuite } from '../control/rollback.suite.ts';
import { SqliteRollbackStore } from './rollback-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const database = new BatchedDatabase(':memory:');
rollbackStoreSuite('the database of the node', () => new SqliteRollbackStore(database));
