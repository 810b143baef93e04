// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { EntryDraft } from '../recorder/entry.ts';
import { DoneWrites } from './done-writes.ts';

const hourMs = 3_600_000;
const actions = new Map([
  ['pay', { reversibility: 'irreversible', write: true }],
  ['stage', { reversibility: 'reversible', write: true }],
  ['look', { reversibility: 'reversible', write: false }],
] as const);

function done(action: string, requester: string, message: string, change: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: 'tool.outcome', id: message, at: 0, actor: 'agent:executor', task: null, message, causedBy: [], outcome: 'GO',
    code: null, verdicts: [], tookUs: null, detail: { action, requester }, ...change,
  };
}

test('lists what agents did or asked for by whether it can be undone, and nothing else', () => {
  const writes = new DoneWrites();
  writes.take(done('pay', 'planner', 'too long ago'), 0);
  writes.take(done('pay', 'planner', 'one'), 30 * hourMs);
  writes.take(done('stage', 'planner', 'two'), 31 * hourMs);
  writes.take(done('gone', 'planner', 'three'), 32 * hourMs);
  writes.take(done('look', 'planner', 'a read'), 32 * hourMs);
  writes.take(done('pay', 'somebody', 'of another', { actor: 'agent:other' }), 32 * hourMs);
  writes.take(done('pay', 'planner', 'failed', { outcome: 'NO-GO' }), 32 * hourMs);
  const requests = (list: unknown): unknown => (Array.isArray(list) ? list.map(({ request }) => request) : null);
  const { done: found } = writes.report(['planner'], actions, 33 * hourMs);
  expect(found).toMatchObject({ compensable: [], more: 0 });
  expect(requests(Reflect.get(Object(found), 'irreversible'))).toEqual(['three', 'one']);
  expect(requests(Reflect.get(Object(found), 'reversible'))).toEqual(['two']);
});

test('names a hundred of a kind and counts the others', () => {
  const writes = new DoneWrites();
  for (let index = 0; index < 6_000; index += 1) writes.take(done('pay', 'planner', `${index}`), hourMs);
  const { done: found } = writes.report(['planner'], actions, hourMs);
  expect(found).toMatchObject({ more: 4_900 });
});
