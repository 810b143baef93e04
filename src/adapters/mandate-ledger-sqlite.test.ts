// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { chargeOf, describeMandateLedger } from '../mandate/ledger.suite.ts';
import { SqliteMandateLedger } from './mandate-ledger-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

describe('a ledger of mandates in SQLite', () => {
  describeMandateLedger(() => {
    const database = new BatchedDatabase(':memory:');
    return {
      ledger: new SqliteMandateLedger(database),
      reopened: () => new SqliteMandateLedger(database),
    };
  });

  it('charges nothing once its file is closed', async () => {
    const database = new BatchedDatabase(':memory:');
    const ledger = new SqliteMandateLedger(database);
    database.close();
    await expect(ledger.charge('a', [chargeOf('m', { count: 1 })], 1)).rejects.toThrow();
  });
});
