// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { RecordedEntry } from './entry.ts';
import { MeshCosts } from './mesh-costs.ts';
import { taskLedger } from './task-ledger.ts';

let sequence = 0;
const entry = (kind: RecordedEntry['kind'], change: Partial<RecordedEntry> = {}): RecordedEntry => ({
  sequence: (sequence += 1), recordedAt: 1_000 + sequence, kind, id: `id-${sequence}`, at: 1_000 + sequence, actor: 'node',
  task: 'task', message: null, causedBy: [], outcome: 'GO', code: null, verdicts: [], tookUs: null, detail: {}, ...change,
} as RecordedEntry);
const verdict = (control: string, tookUs: number) =>
  ({ control, outcome: 'GO', tookUs, findings: [], version: '1' }) as unknown as RecordedEntry['verdicts'][number];

const entries = [
  entry('message.admitted', { detail: { schema: 'note/1' }, verdicts: [verdict('bus', 100)] }),
  entry('message.delivered', { verdicts: [verdict('scanner', 200)] }),
  entry('request.reviewed', { verdicts: [verdict('scanner', 200), verdict('policy-compliance', 50)] }),
  entry('judge.called', { outcome: 'GO', tookUs: 900_000, detail: { inputTokens: 100, outputTokens: 10, micros: 500 } }),
  entry('judge.called', { outcome: null, tookUs: 5_000_000, detail: { micros: 900 } }),
  entry('tool.outcome', { tookUs: 700 }),
  entry('message.admitted', { detail: { schema: 'action-outcome/1' } }),
];

test('sums of the mesh are those of the ledger of its one task', () => {
  const costs = new MeshCosts();
  for (const one of entries) costs.add(one);
  const sum = costs.cost();
  const ledger = taskLedger('task', entries);
  expect(sum.controls).toEqual(ledger?.controls);
  expect(sum.naive).toEqual(ledger?.naive);
  expect([sum.hops, sum.answers, sum.tools]).toEqual([ledger?.hops.length, ledger?.answers, ledger?.tools]);
  expect([sum.judge.calls, sum.judge.tokens, sum.judge.micros]).toEqual([2, 110, 1_400]);
});

test('a judge on every hop is figured from what its answered calls took, and assumed before', () => {
  const costs = new MeshCosts();
  for (const one of entries.slice(0, 1)) costs.add(one);
  expect(costs.cost().naive).toMatchObject({ basis: 'assumed', calls: 1, lowMs: 1_200, highMs: 3_000 });
  for (const one of entries.slice(1)) costs.add(one);
  expect(costs.cost().naive).toMatchObject({ basis: 'measured', calls: 1, lowMs: 900, highMs: 900, lowMicros: 500 });
});

test('the tasks that moved last come first, and no more than are kept', () => {
  const costs = new MeshCosts();
  for (let index = 0; index < 50; index += 1) costs.add(entry('message.admitted', { task: `task-${index}` }));
  costs.add(entry('message.admitted', { task: 'task-40' }));
  const { tasks } = costs.cost();
  expect([tasks.length, tasks[0], tasks[1]]).toEqual([20, 'task-40', 'task-49']);
});
