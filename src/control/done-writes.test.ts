// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { doneReport, DoneWrites, isServedWrite, type Done, type EarlierEntry, type Undoable } from './done-writes.ts';

const hourMs = 3_600_000;
const actions = new Map<string, Undoable>([
  ['pay', { reversibility: 'irreversible', write: true }],
  ['stage', { reversibility: 'reversible', write: true, undo: { action: 'drop', parameters: new Map() } }],
  ['look', { reversibility: 'reversible', write: false }],
]);

const isWrite = ({ action }: Done): boolean => actions.get(action)?.write !== false;

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
  const writes = new DoneWrites(() => log(), isWrite);
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
  }, isWrite);
  writes.take(done('pay', 'planner', 'now'), 2 * hourMs);
  await expect(writes.recall()).rejects.toThrow('the disk');
  await Promise.all([writes.recall(), writes.recall()]);
  await writes.recall();
  expect(tries).toBe(2);
  expect(writes.of(['planner'], actions, 3 * hourMs).map(({ request }) => request)).toEqual(['now', 'before']);
  writes.take(done('pay', 'planner', 'before'), 3 * hourMs);
  expect(writes.of(['planner'], actions, 3 * hourMs)).toHaveLength(2);
});

test('names a hundred of a kind and counts the others', () => {
  const writes = new DoneWrites(() => log(), isWrite);
  for (let index = 0; index < 6_000; index += 1) writes.take(done('pay', 'planner', `${index}`), hourMs);
  expect(doneReport(writes.of(['planner'], actions, hourMs), writes.forgottenOf(['planner'], hourMs))).toMatchObject({
    reversible: [], compensable: [], more: 5_900,
  });
  expect(writes.forgottenOf(['planner'], 26 * hourMs)).toBe(0);
});

test('no flood pushes out what an agent had done: of reads, of the same message, of others, or of another executor', () => {
  const writes = new DoneWrites(() => log(), isWrite);
  writes.take(done('pay', 'planner', 'the harm'), 0);
  for (let index = 0; index < 6_000; index += 1) {
    writes.take(done('look', 'planner', `read ${index}`), 1);
    writes.take(done('pay', 'planner', 'the same'), 2);
    writes.take(done('pay', 'somebody', `${index}`), 3);
    writes.take(done('pay', 'planner', `${index}`, { actor: 'agent:taken over' }), 4);
    writes.take(done('pay', `nobody ${index}`, `${index}`, { actor: 'agent:taken over' }), 5);
  }
  const requests = writes.of(['planner'], actions, hourMs).filter(({ executor }) => executor === 'executor');
  expect(requests.map(({ request }) => request)).toEqual(['the same', 'the harm']);
});

test('an executor speaks of the writes that it serves, and of no others', () => {
  const mesh = sampleMesh();
  const of = (action: string, executor: string): Done => ({ at: 0, action, requester: 'triage', executor, request: 'r' });
  expect(isServedWrite(of('pay_invoice', 'payments'), mesh)).toBe(true);
  expect(isServedWrite(of('pay_invoice', 'desk'), mesh)).toBe(false);
  expect(isServedWrite(of('gone', 'payments'), mesh)).toBe(true);
  expect(isServedWrite(of('pay_invoice', 'spawned-1'), mesh)).toBe(true);
});
