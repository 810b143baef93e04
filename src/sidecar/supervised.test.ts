// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FakeSidecar } from '../../test/sidecar-fixture/sidecar.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import type { PaceClamp } from '../pace/pace-view.ts';
import { send } from './outbound.ts';
import { clampOfRequest } from './supervised.ts';

const free: PaceClamp = { phase: 'PRIMARY', allows: 'all' };
const request = (action: string, metadata = {}) => ({
  to: 'payments', type: 'instruction', schema: 'action-request/1', domain: 'billing', metadata, inReplyTo: null,
  epistemic: null, task: null,
  payload: { action, parameters: { invoice: '42', payee: 'ACME', amount: 1 }, idempotencyKey: 'k', evidence: [] },
} as const);

async function markOf(allows: PaceClamp['allows'], action: string, metadata = {}): Promise<unknown> {
  const fake = new FakeSidecar('triage', { pace: { clamp: () => ({ phase: 'ALTERNATE', allows }) } });
  const task = '01JD3K5V7Q8R9S0T1V2W3X4Y5Z';
  const mandates = [{ task, principal: 'desk', isOwn: true, chain: fake.mandateFor('triage', task) }];
  await send(request(action, metadata), {
    source: 'agent', read: freshContext, values: new ValueIndex(), mandates, inputs: [],
    place: { task, hop: 1, goalHash: null, isOrigin: false },
  }, fake.context);
  return fake.link.bodies()[0]?.metadata;
}

test('a write that a supervised agent asks for carries its supervision, whatever the agent says', async () => {
  expect(await markOf('supervised', 'pay_invoice', { pace: 'free', note: 'x' })).toEqual({ pace: 'supervised', note: 'x' });
  expect(await markOf('supervised', 'check_payment')).toEqual({});
  expect(await markOf('all', 'pay_invoice')).toEqual({});
});

test('and holds at its executor, unless that is held to less already', () => {
  const marked = { metadata: { pace: 'supervised' } };
  expect(clampOfRequest(free, marked)).toEqual({ phase: 'ALTERNATE', allows: 'supervised' });
  expect(clampOfRequest(free, { metadata: {} })).toEqual(free);
  expect(clampOfRequest(free, { metadata: { pace: 'PRIMARY' } })).toEqual(free);
  expect(clampOfRequest({ phase: 'ALTERNATE', allows: 'read-only' }, marked).allows).toBe('read-only');
  expect(clampOfRequest({ phase: 'EMERGENCY', allows: 'nothing' }, marked)).toMatchObject({ phase: 'EMERGENCY', allows: 'nothing' });
});
