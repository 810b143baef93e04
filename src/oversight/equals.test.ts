// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { Approval } from './approvals.ts';
import { equalKey, equalsAmong, equalsMax, mayReleaseTogether } from './equals.ts';
import type { Hold } from './hold.ts';

const held = (id: string, change: Partial<Hold> = {}, more: Partial<Approval> = {}): Approval => ({
  id, state: 'pending', heldAt: 1, decisions: [],
  hold: {
    message: `message-${id}`, task: `task-${id}`, executor: 'store', requester: 'clerk', rootOrigin: 'agent:clerk',
    action: 'order', risk: 'HIGH', reversibility: 'compensable', parameters: { part: 'bolt', quantity: 20 },
    digest: id, approvalsNeeded: 1, reasons: ['A', 'B'], expiresAt: 100, ...change,
  },
  ...more,
});

describe('questions that are equal', () => {
  test.each<[string, Partial<Hold>, Partial<Approval>?]>([
    ['a value', { parameters: { part: 'bolt', quantity: 21 } }],
    ['the spelling of a value', { parameters: { part: 'bоlt', quantity: 20 } }],
    ['the type of a value', { parameters: { part: 'bolt', quantity: '20' } }],
    ['one more value', { parameters: { part: 'bolt', quantity: 20, to: 'x' } }],
    ['who asks', { requester: 'other' }],
    ['who would do it', { executor: 'other' }],
    ['what set it off', { rootOrigin: 'tool:mail' }],
    ['why it waits', { reasons: ['A', 'C'] }],
    ['what has to be vouched for', { endorse: [{ pointer: '/part', sources: [], origins: ['tool:mail'] }] }],
    ['who changed it', { modifiedBy: ['alice'] }],
    ['its class', { risk: 'LOW' }],
    ['how far it was raised', {}, { decisions: [{ operator: 'alice', signed: '', decision: 'escalate' }] }],
  ])('are not, when %s differs', (_what, change, more = {}) => {
    expect(equalKey(held('2', change, more))).not.toBe(equalKey(held('1')));
  });

  test('are, whatever the message, the task, the deadline and the order of names', () => {
    const other = held('2', { parameters: { quantity: 20, part: 'bolt' }, reasons: ['B', 'A'], expiresAt: 200 });
    expect(equalKey(other)).toBe(equalKey(held('1')));
  });

  test('are found among those that wait, and never more than a person takes in', () => {
    const all = [...Array.from({ length: 50 }, (_, index) => held(`e${index}`)), held('x', { requester: 'other' })];
    const [first] = all;
    if (first === undefined) throw new Error('none');
    const equals = equalsAmong(all);
    expect(equals(first)).toHaveLength(equalsMax - 1);
    expect(equals(first).some(({ id }) => id === first.id || id === 'x')).toBe(false);
    expect(equals({ ...first, state: 'approved' })).toEqual([]);
  });

  test('are released together only where it can be made good and nobody vouches for a value', () => {
    expect(mayReleaseTogether(held('1'))).toBe(true);
    const alone: readonly Partial<Hold>[] = [
      { reversibility: 'irreversible' }, { risk: 'CRITICAL' }, { approvalsNeeded: 2 },
      { endorse: [{ pointer: '/part', sources: [], origins: [] }] },
    ];
    expect(alone.map((change) => mayReleaseTogether(held('1', change)))).toEqual([false, false, false, false]);
  });
});
