// SPDX-License-Identifier: Apache-2.0
// A queue of held actions at its worst: `npm run bench:approvals -- --json`.
// Options: --pending N, --rounds N. List and search are what the command line and the console ask of
// the node, with the JSON that they send; `open` is a start of the node on the same disk.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteApprovalStore } from '../src/adapters/control-store-sqlite.ts';
import { BatchedDatabase } from '../src/adapters/sqlite-batch.ts';
import type { Approval } from '../src/oversight/approvals.ts';
import { searchApprovals } from '../src/oversight/search.ts';
import { machine, numberOption, percentiles, print } from './machine.ts';

const targetMs = 200;
const pending = numberOption('pending', 10_000);
const rounds = numberOption('rounds', 50);
const directory = mkdtempSync(join(tmpdir(), 'maso-bench-'));
const file = join(directory, 'node.sqlite');

const database = new BatchedDatabase(file);
const store = new SqliteApprovalStore(database);
await Promise.all(Array.from({ length: pending }, (_, index) => store.save(held(index))));
database.close();

const openedAt = performance.now();
const again = new BatchedDatabase(file);
const queue = new SqliteApprovalStore(again);
const openMs = performance.now() - openedAt;
const asked = {
  list: { text: '', state: 'pending', limit: 200 },
  'search, one hit': { text: `invoice-${pending - 1}`, state: 'pending', limit: 200 },
  'search, all hit': { text: 'pay northwind', state: 'pending', limit: 200 },
  'search, no hit': { text: 'nothing has this', state: 'pending', limit: 200 },
  'everything, newest first': { text: 'payee-7', state: 'all', limit: 200 },
} as const;
const rows = Object.entries(asked).map(([name, query]) => {
  const took: number[] = [];
  let total = 0;
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const found = searchApprovals(queue, query);
    JSON.stringify(found);
    took.push(performance.now() - startedAt);
    ({ total } = found);
  }
  const { p50, p99 } = percentiles(took);
  return { name, total, firstMs: took[0] ?? 0, p50Ms: p50, p99Ms: p99, met: p99 < targetMs && (took[0] ?? 0) < targetMs };
});
again.close();
rmSync(directory, { recursive: true });
print({ bench: 'approvals', machine: machine(), pending, rounds, targetMs, openMs, rows, met: rows.every(({ met }) => met) });

function held(index: number): Approval {
  return {
    id: `approval-${index}`, state: 'pending', heldAt: index, decisions: [],
    hold: {
      message: `message-${index}`, task: `task-${index}`, executor: 'payments', requester: `agent-${index}`,
      rootOrigin: `tool:mail-${index}`, action: 'pay_invoice', risk: 'HIGH', reversibility: 'irreversible',
      parameters: { invoice: `invoice-${index}`, payee: `Northwind payee-${index % 10}`, amount: index },
      digest: `${index}`.padStart(43, 'd'), approvalsNeeded: 1, reasons: ['SCAN_PATTERN'], expiresAt: 2_000_000_000_000 - index,
    },
  };
}
