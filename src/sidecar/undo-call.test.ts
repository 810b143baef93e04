// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { bodyOf, FakeSidecar, partyOf, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonObject } from '../message/json.ts';
import type { PaceOrder } from '../pace/book.ts';
import type { PaceClamp } from '../pace/pace-view.ts';
import { signPaceOrder } from '../pace/statement.ts';
import { withoutResult } from '../tool/gate-outcome.ts';
import type { Intent } from '../tool/intent-store.ts';
import { undoCall } from './undo-call.ts';

const alice = operatorKey();
const eve = operatorKey();
const triage = partyOf('triage');
const kill = '01K74F0Z00ABCDEFGHJKMNPQRS';

/** The transfer can be made good by another one, which takes what was asked and what was answered. */
const undoable = (): Mesh => {
  const mesh = sampleMesh([
    ['      reversibility: irreversible\n', '      reversibility: compensable\n'],
    ['      caps: { amount: { per_hour: 8000 } }\n', `      caps: { amount: { per_hour: 8000 } }
      undo: { action: take_back, parameters: { invoice: request.invoice, reference: result.reference } }
    take_back:
      risk: HIGH
      reversibility: irreversible
      tool: bank.transfer
      parameters:
        type: object
        additionalProperties: false
        required: [invoice, reference]
        properties: { invoice: { type: string, pattern: "^[0-9]{1,12}$" }, reference: { type: string, format: uuid } }
      output: schemas/receipt.json
      sensitive: { reference: { from: [prompt] } }
`],
  ]);
  const operators = new Map([['alice', { name: 'alice', publicKey: alice.publicJwk }]]);
  return { ...mesh, operators };
};

let fake: FakeSidecar;
let clamp: PaceClamp;
let body: EnvelopeBody;
let intent: Intent;
const reference = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

beforeEach(async () => {
  clamp = { phase: 'PRIMARY', allows: 'all' };
  fake = new FakeSidecar('payments', { pace: { clamp: () => clamp } }, undoable());
  body = bodyOf(fake.requestFrom(triage));
  await fake.store.receive({ body, state: 'done', entries: [], incarnation: null, reply: null }).durable;
  const parameters = (body.payload as JsonObject)['parameters'] ?? null;
  intent = {
    key: 'k', requestId: body.id, executor: 'payments', requester: 'triage', action: 'pay_invoice', tool: 'bank',
    operation: 'transfer', write: true, risk: 'HIGH', privileged: true, task: body.task, mandate: 'mandate-1', at: startMs,
    argumentsDigest: createHash('sha256').update(canonicalize(parameters)).digest('base64url'),
  };
  fake.ended = ({ requestId }) => requestId !== body.id ? null : {
    decision: { ...withoutResult('FAILED', null), status: 'DONE', result: { reference } }, mayRepeat: false, intent,
  };
});

function order(change: PaceOrder = { op: 'kill', unit: { kind: 'agent', value: 'triage' } }, at = startMs, key = alice, operator = 'alice'): string {
  return signPaceOrder({ id: kill, order: change, operator, at, reason: 'pays strangers' }, key);
}

const undo = (signed: string, change: { readonly call?: string; readonly incident?: string } = {}) =>
  undoCall({ kind: 'undo-call', call: body.id, incident: kill, signed, ...change }, fake.context);

describe('a node that wants a call undone is believed nothing', () => {
  const dayMs = 86_400_000;
  test.each([
    ['without an order', () => 'x'],
    ['with one that a stranger signed', () => order(undefined, startMs, eve)],
    ['with one of nobody known', () => order(undefined, startMs, eve, 'eve')],
    ['with the order to halt', () => order({ op: 'halt', unit: { kind: 'agent', value: 'triage' } })],
    ['with the kill of somebody else', () => order({ op: 'kill', unit: { kind: 'agent', value: 'desk' } })],
    ['with a kill from before the call', () => order(undefined, startMs - dayMs)],
    ['with a kill from long after it', () => order(undefined, startMs + dayMs + 1)],
  ])('%s', async (_name, signed) => {
    expect(await undo(signed())).toMatchObject({ status: 'REFUSED', code: 'SIDECAR_UNDO_FORGED' });
    expect(fake.calls).toEqual([]);
  });

  test('with an order that it calls another incident, or of a call that nobody knows', async () => {
    expect(await undo(order(), { incident: '01K74F0Z00ABCDEFGHJKMNPQRT' })).toMatchObject({ code: 'SIDECAR_UNDO_FORGED' });
    expect(await undo(order(), { call: 'request-0' })).toMatchObject({ code: 'SIDECAR_UNDO_UNKNOWN' });
    expect(fake.calls).toEqual([]);
  });
});

describe('an executor does not undo', () => {
  test('what is in doubt, or was changed by people before it ran', async () => {
    const ended = fake.ended;
    fake.ended = () => ({ decision: withoutResult('IN-DOUBT', 'TOOL_TIMEOUT'), mayRepeat: false, intent });
    expect(await undo(order())).toMatchObject({ code: 'SIDECAR_UNDO_UNKNOWN' });
    fake.ended = ended;
    intent = { ...intent, argumentsDigest: 'another' };
    expect(await undo(order())).toMatchObject({ code: 'SIDECAR_UNDO_UNKNOWN' });
  });

  test('what somebody else may have undone since: the same write with the same arguments came later', async () => {
    const digest = createHash('sha256').update(canonicalize({ invoice: '42', reference })).digest('base64url');
    fake.followed = ({ requestId }, action, argumentsDigest) =>
      requestId === body.id && action === 'take_back' && argumentsDigest === digest;
    expect(await undo(order())).toMatchObject({ status: 'REFUSED', code: 'SIDECAR_UNDO_UNKNOWN' });
    fake.followed = () => {
      throw new Error('the store');
    };
    expect(await undo(order())).toMatchObject({ status: 'REFUSED', code: 'SIDECAR_RECORD_UNAVAILABLE' });
    expect(fake.calls).toEqual([]);
  });

  test('what was asked before the kill, and ran long after it', async () => {
    intent = { ...intent, at: startMs + 86_400_000 };
    expect(await undo(order())).toMatchObject({ status: 'REFUSED', code: 'SIDECAR_UNDO_FORGED' });
    expect(fake.calls).toEqual([]);
  });

  test('what the mesh file has nothing for, or what does not fit', async () => {
    fake.ended = () => ({
      decision: { ...withoutResult('FAILED', null), status: 'DONE', result: { reference: 'no uuid' } }, mayRepeat: false, intent,
    });
    expect(await undo(order())).toMatchObject({ code: 'SIDECAR_UNDO_INVALID' });
    fake.ended = () => ({ decision: { ...withoutResult('FAILED', null), status: 'DONE', result: null }, mayRepeat: false, intent });
    expect(await undo(order())).toMatchObject({ code: 'SIDECAR_UNDO_INVALID' });
    const { mesh } = fake.context;
    const { undo: _undo, ...pay } = mesh.actions.get('pay_invoice') ?? {};
    Object.assign(fake.context, { mesh: { ...mesh, actions: new Map([['pay_invoice', pay]]) } });
    expect(await undo(order())).toMatchObject({ code: 'SIDECAR_UNDO_UNDECLARED' });
  });

  test('while it may not act freely itself: it waits', async () => {
    for (const allows of ['nothing', 'read-only'] as const) {
      clamp = { phase: 'ALTERNATE', allows };
      expect(await undo(order())).toMatchObject({ status: 'REFUSED', code: 'SIDECAR_UNDO_WAITS' });
    }
    clamp = { phase: 'PRIMARY', allows: 'all' };
    Object.assign(fake.context, { lease: { isValid: () => true, coversPrivileged: () => false } });
    expect(await undo(order())).toMatchObject({ code: 'SIDECAR_UNDO_WAITS' });
    expect(fake.calls).toEqual([]);
  });

  test('without a record of its review', async () => {
    fake.recorder.isBroken = () => true;
    expect(await undo(order())).toMatchObject({ status: 'REFUSED', code: 'SIDECAR_RECORD_UNAVAILABLE' });
    expect(fake.calls).toEqual([]);
  });
});

describe('an executor undoes', () => {
  test.each([
    { kind: 'agent', value: 'triage' }, { kind: 'agent', value: 'payments' }, { kind: 'type', value: 'RETRIEVER' }, { kind: 'mesh', value: 'mesh' },
  ] as const)('what $kind:$value was killed for, through its gate, under a review and the mandate of the call', async (unit) => {
    expect(await undo(order({ op: 'kill', unit }))).toEqual({
      kind: 'call-undone', call: body.id, incident: kill, status: 'DONE', code: null,
    });
    expect(fake.calls).toMatchObject([{
      action: 'take_back', requester: 'payments', write: true, privileged: true, arguments: { invoice: '42', reference },
      idempotencyKey: `undo.${body.id}`, mandate: 'mandate-1', task: body.task,
    }]);
    expect(fake.recorder.entries).toMatchObject([{
      kind: 'request.reviewed', outcome: 'GO', message: fake.calls[0]?.id,
      detail: { action: 'take_back', mandate: 'mandate-1', undoes: body.id, incident: kill },
    }]);
  });

  test('and counts the signature of the kill as the person that supervision asks for', async () => {
    clamp = { phase: 'ALTERNATE', allows: 'supervised' };
    expect(await undo(order())).toMatchObject({ status: 'DONE' });
  });

  test('and stops at the last moment when it is stopped itself', async () => {
    await undo(order());
    expect(fake.calls[0]?.standing()).toBeNull();
    clamp = { phase: 'EMERGENCY', allows: 'nothing' };
    expect(fake.calls[0]?.standing()).toBe('SIDECAR_UNDO_WAITS');
  });

  test('and says what its gate says', async () => {
    fake.ran = () => ({ status: 'IN-DOUBT', code: 'TOOL_TIMEOUT' });
    expect(await undo(order())).toMatchObject({ status: 'IN-DOUBT', code: 'TOOL_TIMEOUT' });
  });
});
