// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { RevocationList, type RevocationTarget } from '../identity/revocation.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import type { Outgoing } from '../message/envelope.ts';
import { AgentSidecar } from './agent-sidecar.ts';
import { callTool } from './call-tool.ts';
import { AgentMemory } from './memory.ts';
import { send, type Sent } from './outbound.ts';

const triage = partyOf('triage');
let fake: FakeSidecar;
let sidecar: AgentSidecar;
let revocations: RevocationList;
let leased: boolean;

async function start(agent: string): Promise<void> {
  leased = true;
  revocations = new RevocationList([], 0, startMs);
  fake = new FakeSidecar(agent, { revocations, lease: { isValid: () => leased, coversPrivileged: () => leased } });
  fake.knows(triage);
  sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
}

function revoke(target: RevocationTarget): void {
  learn(target);
  sidecar.revocationsChanged();
}

function learn(target: RevocationTarget): void {
  const version = revocations.version + 1;
  const change = { version, id: 'id', op: 'revoke' as const, target, at: startMs, signed: null };
  revocations.update({ since: version - 1, version, changes: [change] }, () => false);
}

async function ask(action = 'pay_invoice', key = 'key-1'): Promise<void> {
  const parameters = action === 'pay_invoice' ? {} : { invoice: '42' };
  const payload = action === 'pay_invoice' ? {} : { payload: { action, parameters, idempotencyKey: key, evidence: [] } };
  sidecar.deliver(fake.requestFrom(triage, { action, key, parameters }, payload), null, () => undefined);
  await settled();
}

/** Actions that were run; reads for the policy check are not among them. */
const actions = (): readonly (string | null)[] =>
  fake.calls.map(({ action }) => action).filter((action) => action !== null);

const statuses = (): readonly string[] =>
  fake.link.bodies().map((body) => (body.payload as unknown as ActionOutcome).status);

const byName = { kind: 'agent', value: 'triage' } as const;
const byInstance = { kind: 'instance', value: triage.peer.spiffeId } as const;
const byCertificate = { kind: 'certificate', value: triage.peer.thumbprint } as const;

describe('an executor whose lease covers nothing privileged', () => {
  beforeEach(() => start('payments'));

  test('runs no HIGH action, and goes on with a LOW one', async () => {
    leased = false;
    await ask();
    expect(actions()).toEqual([]);
    expect(fake.recorder.codes('request.reviewed')).toEqual(['SIDECAR_LEASE_EXPIRED']);
    await ask('check_payment', 'key-2');
    expect(actions()).toEqual(['check_payment']);
    expect(statuses()).toEqual(['REFUSED', 'DONE']);
  });

  test('runs no HIGH action whose lease ended while it was put on record', async () => {
    fake.recorder.isBroken = (_entries, privileged) => {
      if (privileged) leased = false;
      return false;
    };
    await ask();
    expect(actions()).toEqual([]);
    expect(fake.recorder.codes('request.reviewed')).toEqual([null, 'SIDECAR_LEASE_EXPIRED']);
    expect(statuses()).toEqual(['REFUSED']);
  });
});

describe('a revoked sender', () => {
  beforeEach(() => start('payments'));

  test.each([byName, byInstance, byCertificate])('is refused by $kind', async (target) => {
    revoke(target);
    await ask('check_payment');
    expect(actions()).toEqual([]);
    expect(fake.recorder.codes('request.reviewed')).toEqual([]);
    fake.database.flush();
    expect(fake.store.messages('refused', 10)).toHaveLength(1);
  });

  test('is refused when the revocation comes while its request waits for an earlier one', async () => {
    let release = (): void => undefined;
    const running = new Promise<void>((resolve) => (release = resolve));
    fake.ran = async () => {
      await running;
      return {};
    };
    await ask('check_payment', 'key-1');
    await ask('check_payment', 'key-2');
    revoke(byInstance);
    release();
    await settled();
    expect(actions()).toHaveLength(1);
    expect(statuses()).toEqual(['DONE', 'REFUSED']);
    expect(fake.recorder.codes('request.reviewed')).toContain('IDENTITY_REVOKED');
  });

  test('is refused when the revocation comes while its request is put on record', async () => {
    fake.recorder.isBroken = (_entries, privileged) => {
      if (privileged) revoke(byName);
      return false;
    };
    await ask();
    expect(actions()).toEqual([]);
    expect(fake.recorder.codes('request.reviewed')).toEqual([null, 'IDENTITY_REVOKED']);
  });
});

describe('messages that wait for an agent', () => {
  beforeEach(() => start('desk'));

  test('are not handed over once their sender is revoked, and are refused for good', async () => {
    const other = partyOf('payments');
    fake.knows(other);
    sidecar.deliver(fake.envelopeFrom(triage), null, () => undefined);
    sidecar.deliver(fake.envelopeFrom(other), null, () => undefined);
    await settled();
    revoke(byInstance);
    const opened = await sidecar.openSession(await sidecar.mintToken());
    const memory = opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
    if (memory === null) throw new Error('no session');
    const taken = await sidecar.take(10, AbortSignal.abort(), memory);
    expect(taken.map(({ body }) => body.from)).toEqual(['payments']);
    expect(fake.store.messages('refused', 10).map(({ body }) => body.from)).toEqual(['triage']);
    expect(fake.recorder.codes('message.refused')).toEqual(['IDENTITY_REVOKED']);
  });
});

describe('the answer of an executor', () => {
  beforeEach(() => start('triage'));

  test('that waited when it was revoked is not handed over', async () => {
    const payments = partyOf('payments');
    fake.knows(payments);
    const payload = { action: 'pay_invoice', idempotencyKey: 'k', status: 'DONE', code: null, result: null };
    const inReplyTo = fake.bodyFrom(payments).id;
    const answer = { schema: 'action-outcome/1', inReplyTo, payload };
    sidecar.deliver(fake.envelopeFrom(payments, answer), null, () => undefined);
    await settled();
    revoke({ kind: 'instance', value: payments.peer.spiffeId });
    expect(await sidecar.outcomeOf(inReplyTo, 'payments', AbortSignal.abort())).toBeNull();
    expect(fake.recorder.codes('message.refused')).toEqual(['IDENTITY_REVOKED']);
  });
});

describe('a revoked agent at its own sidecar', () => {
  beforeEach(() => start('triage'));

  const own = (): readonly RevocationTarget[] => [
    byName,
    { kind: 'instance', value: fake.party.peer.spiffeId },
    { kind: 'certificate', value: fake.party.peer.thumbprint },
  ];

  test.each([0, 1, 2])('loses its session and gets no other (%i)', async (which) => {
    const opened = await sidecar.openSession(await sidecar.mintToken());
    const key = opened.ok ? opened.sessionKey : '';
    expect(sidecar.authenticate(key)).not.toBeNull();
    const target = own()[which];
    if (target !== undefined) learn(target);
    expect(sidecar.authenticate(key)).toBeNull();
    sidecar.revocationsChanged();
    await settled();
    expect(fake.store.incarnation()?.endedAt).not.toBeNull();
    const token = await sidecar.mintToken();
    expect(await sidecar.openSession(token)).toEqual({ ok: false, code: 'IDENTITY_REVOKED' });
  });

  test('sends nothing and reads nothing, also in a call that had begun', async () => {
    const memory = new AgentMemory('incarnation', fake.store);
    const read = { tool: 'mail', operation: 'read', arguments: {}, task: 'task', idempotencyKey: null };
    revoke(byName);
    expect(await sendRequest('check_payment')).toMatchObject({ outcome: 'NO-GO', code: 'IDENTITY_REVOKED' });
    expect(fake.link.published).toEqual([]);
    expect(await callTool(read, memory, fake.context)).toMatchObject({ code: 'IDENTITY_REVOKED' });
    expect(actions()).toEqual([]);
  });

  test('without a lease asks for no HIGH action, and for a LOW one', async () => {
    leased = false;
    expect(await sendRequest('pay_invoice')).toMatchObject({ code: 'SIDECAR_LEASE_EXPIRED' });
    expect((await sendRequest('check_payment')).code).not.toBe('SIDECAR_LEASE_EXPIRED');
  });

  function sendRequest(action: string): Promise<Sent> {
    const outgoing: Outgoing = {
      to: 'payments', type: 'instruction', schema: 'action-request/1', domain: 'billing',
      payload: { action, parameters: { invoice: '42' }, idempotencyKey: 'key', evidence: [] },
      metadata: {}, inReplyTo: null, epistemic: null, task: null,
    };
    const place = { task: 'task', hop: 1, goalHash: null, isOrigin: false };
    const speaker = {
      source: 'agent' as const, read: freshContext, values: new ValueIndex(), place, mandates: [], inputs: [],
    };
    return send(outgoing, speaker, fake.context);
  }
});
