// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { FakeRecorder } from '../../test/sidecar-fixture/sidecar.ts';
import { signRecorderOrder, type RecorderAct } from '../identity/recorder-order.ts';
import { operatorRoles, type OperatorRole } from '../mesh/operator-roles.ts';
import { Turns } from '../oversight/turns.ts';
import { digestOf, takeRecorderOrder } from './recorder-orders.ts';

const now = 1_760_000_000_000;
const key = operatorKey();
const recipient = 'r'.repeat(43);

/** What an order of somebody with one role comes to; a role that may is refused for the epoch alone. */
async function order(act: RecorderAct, role: OperatorRole) {
  const recorder = new FakeRecorder();
  const signed = signRecorderOrder({
    id: '01K74F0Z00ABCDEFGHJKMNPQRS', log: 'log', act, subject: act === 'open' ? '3' : '01K74F0Z00ABCDEFGHJKMNPQRT', operator: 'ann', at: now, reason: 'incident 17',
    digest: act === 'open' ? digestOf(recipient) : '',
  }, key);
  const answer = await takeRecorderOrder(signed, act === 'open' ? recipient : null, {
    log: 'log', size: () => 0, closedSize: async () => 0, recorder, keys: { epoch: () => null },
    eraseKeys: async () => 0, clock: { nowMs: () => now }, mintId: () => 'id', turns: new Turns(),
    operators: new Map([['ann', { name: 'ann', publicKey: key.publicJwk, roles: [role] }]]),
  });
  return { code: answer.ok ? null : answer.code, recorded: recorder.codes('identity.refused') };
}

test('payloads are asked for by those whose role opens them, and others are refused on record', async () => {
  const codes = await Promise.all(operatorRoles.map(async (role) => [role, await order('open', role)] as const));
  const refused = { code: 'RECORDER_ORDER_ROLE', recorded: ['RECORDER_ORDER_ROLE'] };
  const unknown = { code: 'RECORDER_EPOCH_UNKNOWN', recorded: ['RECORDER_EPOCH_UNKNOWN'] };
  expect(Object.fromEntries(codes)).toEqual({
    operator: refused, approver: refused, auditor: refused, security: unknown, ciso: unknown,
  });
});

test('keys of payloads are destroyed by those whose role says so', async () => {
  expect((await order('erase', 'auditor')).code).toBe('RECORDER_ORDER_ROLE');
  expect((await order('erase', 'approver')).code).toBe('RECORDER_ORDER_ROLE');
  expect((await order('erase', 'security')).code).toBeNull();
});
