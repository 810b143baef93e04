// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { EntryDraft } from '../recorder/entry.ts';
import { doneReport, DoneWrites, type EarlierEntry, type Undoable } from './done-writes.ts';

const hourMs = 3_600_000;
const actions = new Map<string, Undoable>([
  ['pay', { reversibility: 'irreversible', write: true }],
  ['stage', { reversibility: 'reversible', write: true, undo: { action: 'drop', parameters: new Map() } }],
  ['look', { reversibility: 'reversible', write: false }],
]);

function done(action: string, requester: string, message: string, change: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: 'tool.outcome', id: message, at: 0, actor: 'agent:executor', task: null, message, causedBy: [], outcome: 'GO',
    code: null, verdicts: [], tookUs: null, detail: { action, requester }, ...change,
  };
}

async function* log(...entries: readonly EarlierEntry[]): AsyncGenerator<EarlierEntry> {
  yield* entries;
}

test('lists what agents did or asked for, with what undoes it, and nothing else', () => {
  const writes = new DoneWrites(() => log());
  writes.take(done('pay', 'planner', 'too long ago'), 0);
  writes.take(done('pay', 'planner', 'one'), 30 * hourMs);
  writes.take(done('stage', 'planner', 'two'), 31 * hourMs);
  writes.take(done('gone', 'planner', 'three'), 32 * hourMs);
  writes.take(done('look', 'planner', 'a read'), 32 * hourMs);
  writes.take(done('pay', 'somebody', 'of another', { actor: 'agent:other' }), 32 * hourMs);
  writes.take(done('pay', 'planner', 'failed', { outcome: 'NO-GO' }), 32 * hourMs);
  writes.take(done('drop', 'executor', 'the undoing of something'), 32 * hourMs);
  const found = writes.of(['planner', 'executor'], actions, 33 * hourMs);
  expect(found.map(({ request, reversibility, undo }) => [request, reversibility, undo])).toEqual([
    ['three', 'irreversible', null], ['two', 'reversible', 'drop'], ['one', 'irreversible', null],
  ]);
});

test('knows what an earlier run saw, once and before what this one sees, and asks again where the log failed', async () => {
  let tries = 0;
  const writes = new DoneWrites(() => {
    tries += 1;
    if (tries === 1) throw new Error('the disk');
    return log({ ...done('pay', 'planner', 'before'), recordedAt: hourMs });
  });
  writes.take(done('pay', 'planner', 'now'), 2 * hourMs);
  await expect(writes.recall()).rejects.toThrow('the disk');
  await Promise.all([writes.recall(), writes.recall()]);
  await writes.recall();
  expect(tries).toBe(2);
  expect(writes.of(['planner'], actions, 3 * hourMs).map(({ request }) => request)).toEqual(['now', 'before']);
});

test('names a hundred of a kind and counts the others', () => {
  const writes = new DoneWrites(() => log());
  for (let index = 0; index < 6_000; index += 1) writes.take(done('pay', 'planner', `${index}`), hourMs);
  expect(doneReport(writes.of(['planner'], actions, hourMs))).toMatchObject({ reversible: [], compensable: [], more: 4_900 });
});
