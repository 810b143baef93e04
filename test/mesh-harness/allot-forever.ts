// SPDX-License-Identifier: Apache-2.0
import { SqliteLedgerStore } from '../../src/adapters/bounds-store-sqlite.ts';
import { BatchedDatabase } from '../../src/adapters/sqlite-batch.ts';
import { allot } from '../../src/bounds/allot.ts';

/** Asks for one unit after the other, several at a time, and says what was granted until it is killed. */
const [, , path = '', most = '0', life = ''] = process.argv;
const store = new SqliteLedgerStore(new BatchedDatabase(path));
const charge = {
  key: 'agent/triage/money', amount: 1, most: Number(most), windowMs: 3_600_000, untilMs: 0,
  escalateAt: null, code: 'BOUNDS_EXCEEDED',
};

async function ask(lane: number): Promise<void> {
  for (let number = 0; ; number += 1) {
    const id = `${life}.${lane}.${number}`;
    const asking = {
      id, executor: 'payments', holder: id, charges: [charge], breakers: [], retry: null, validMs: 10_000, released: false,
    };
    const answer = await store.change((ledger) => allot(ledger, asking, 1_800_000_000_000));
    process.stdout.write(answer.outcome === 'granted' ? `${id}\n` : 'full\n');
    if (answer.outcome !== 'granted') return;
  }
}

await Promise.all([0, 1, 2, 3].map(ask));
