// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import type { Operator } from '../mesh/mesh.ts';
import { signOperatorDecision } from '../identity/operator-signature.ts';
import type { JsonObject } from '../message/json.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import { AgentSidecar } from './agent-sidecar.ts';

const triage = partyOf('triage');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' }) as JsonObject;
let fake: FakeSidecar;
let sidecar: AgentSidecar;
const bob = operatorKey();
const operators = new Map<string, Operator>([
  ['alice', { name: 'alice', publicKey: publicJwk }],
  ['bob', { name: 'bob', publicKey: bob.publicJwk }],
]);

beforeEach(async () => {
  fake = new FakeSidecar('payments', {
    operators: () => operators,
  });
  fake.knows(triage);
  sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
});

async function ask(request: Parameters<FakeSidecar['requestFrom']>[1]): Promise<void> {
  sidecar.deliver(fake.requestFrom(triage, request), null, () => undefined);
  await settled();
}

function outcomes(): readonly ActionOutcome[] {
  return fake.link.bodies().map((body) => body.payload as unknown as ActionOutcome);
}

describe('a held action', () => {
  const word = (change: object = {}, decision: 'approve' | 'deny' = 'approve') => {
    const [hold] = fake.link.held;
    const statement = {
      approval: 'approval-1',
      digest: hold?.digest ?? '',
      decision,
      operator: 'alice',
      at: fake.clock.ms,
      reason: '',
    };
    return {
      kind: 'decided',
      message: hold?.message ?? '',
      approval: 'approval-1',
      outcome: 'approved',
      decisions: [signOperatorDecision({ ...statement, ...change }, { privateKey, publicJwk })],
    } as const;
  };
  const actions = (): number => fake.calls.filter((call) => call.action !== null).length;

  beforeEach(async () => {
    fake.complies = () => 'ESCALATE';
    await ask({ key: 'k' });
    expect(fake.link.held).toHaveLength(1);
  });

  test('runs once when the one person it needs approved it, however often that is said', async () => {
    sidecar.decided(word());
    sidecar.decided(word());
    await settled();
    sidecar.decided(word());
    await settled();
    expect(actions()).toBe(1);
    expect(outcomes().map((outcome) => outcome.status)).toEqual(['DONE']);
  });

  test('does not run when it meets a half-used sum after it was approved for another reason', async () => {
    fake.link.allots = () => ({ outcome: 'escalate', code: 'BOUNDS_HALF_REACHED', bound: 'a' });
    sidecar.decided(word());
    await settled();
    expect(actions()).toBe(0);
    expect(outcomes()).toMatchObject([{ status: 'REFUSED' }]);
    expect(fake.recorder.codes('request.reviewed').at(-1)).toBe('BOUNDS_HALF_REACHED');
  });

  test.each<[string, string, () => Parameters<AgentSidecar['decided']>[0]]>([
    ['without a signature', 'SIDECAR_APPROVAL_INVALID', () => ({ ...word(), decisions: [] })],
    ['with that of a stranger', 'SIDECAR_APPROVAL_INVALID', () => word({ operator: 'mallory' })],
    ['with one for another request', 'SIDECAR_APPROVAL_INVALID', () => word({ digest: 'd'.repeat(43) })],
    ['with one for another hold', 'SIDECAR_APPROVAL_INVALID', () => word({ approval: 'approval-2' })],
    ['with a signed denial', 'SIDECAR_APPROVAL_INVALID', () => word({}, 'deny')],
    ['denied', 'OVERSIGHT_APPROVAL_DENIED', () => ({ ...word(), outcome: 'denied', decisions: [] })],
    ['expired', 'OVERSIGHT_APPROVAL_EXPIRED', () => ({ ...word(), outcome: 'expired', decisions: [] })],
  ])('does not run %s: %s', async (_, code, decided) => {
    sidecar.decided(decided());
    await settled();
    expect(actions()).toBe(0);
    expect(outcomes()).toMatchObject([{ status: 'REFUSED', code: 'REFUSED', result: null }]);
    const reviewed = fake.recorder.entries.filter((entry) => entry.kind === 'request.reviewed');
    const found = reviewed.at(-1)?.verdicts.flatMap((verdict) => verdict.findings);
    expect(found?.map((one) => one.code)).toContain(code);
  });

  describe('that a person changed', () => {
    const said = (
      operator: 'alice' | 'bob',
      decision: 'approve' | 'modify',
      digest: string,
      change: object = {},
    ): string => signOperatorDecision({
      approval: 'approval-2', digest, decision, operator, at: fake.clock.ms, reason: '', ...change,
    }, operator === 'alice' ? { privateKey, publicJwk } : bob);
    const parameters = { invoice: '42', payee: 'ACME', amount: 7 };
    const frame = (outcome: 'approved' | 'modified', decisions: readonly string[]) => ({
      kind: 'decided', message: fake.link.held[0]?.message ?? '', approval: 'approval-2', outcome, decisions,
    } as const);
    const changed = (by: 'alice' | 'bob' = 'alice'): string =>
      said(by, 'modify', fake.link.held[0]?.digest ?? '', { approval: 'approval-1', parameters });

    beforeEach(async () => {
      sidecar.decided(frame('modified', [changed()]));
      await settled();
    });

    test('is judged from the start and waits for another person, with what it is now', () => {
      expect(actions()).toBe(0);
      expect(fake.link.held).toHaveLength(2);
      expect(fake.link.held[1]).toMatchObject({ parameters, modifiedBy: ['alice'] });
      expect(fake.link.held[1]?.digest).not.toBe(fake.link.held[0]?.digest);
      const reviewed = fake.recorder.entries.filter(({ kind }) => kind === 'request.reviewed');
      expect(reviewed).toHaveLength(2);
    });

    test('runs with the change, once somebody else approved it', async () => {
      const digest = fake.link.held[1]?.digest ?? '';
      sidecar.decided(frame('approved', [changed(), said('bob', 'approve', digest)]));
      await settled();
      expect(fake.calls.find(({ action }) => action !== null)?.arguments).toEqual(parameters);
    });

    test.each<[string, () => readonly string[]]>([
      ['by the one who changed it', () => [changed(), said('alice', 'approve', fake.link.held[1]?.digest ?? '')]],
      ['as it was asked for first', () => [changed(), said('bob', 'approve', fake.link.held[0]?.digest ?? '')]],
      ['while the change is left out', () => [said('bob', 'approve', fake.link.held[1]?.digest ?? '')]],
      ['under a change of somebody else', () => [changed('bob'), said('bob', 'approve', fake.link.held[1]?.digest ?? '')]],
    ])('does not run approved %s', async (_, decisions) => {
      sidecar.decided(frame('approved', decisions()));
      await settled();
      expect(actions()).toBe(0);
      expect(outcomes()).toMatchObject([{ status: 'REFUSED' }]);
    });

    test('is refused when it does not stand the check', async () => {
      fake.complies = () => 'NO-GO';
      sidecar.decided(frame('modified', [changed()]));
      await settled();
      expect(actions()).toBe(0);
      expect(outcomes()).toMatchObject([{ status: 'REFUSED' }]);
    });
  });

  test('does not run on the word of a person whose role does not decide', async () => {
    const approved = word();
    operators.set('alice', { name: 'alice', publicKey: publicJwk, roles: ['auditor'] });
    sidecar.decided(approved);
    await settled();
    expect(actions()).toBe(0);
    operators.set('alice', { name: 'alice', publicKey: publicJwk });
  });

  test('does not run on an approval that was kept back until it had expired', async () => {
    const approved = word();
    fake.clock.ms += fake.context.mesh.limits.approvalTimeoutMs;
    sidecar.decided(approved);
    await settled();
    expect(actions()).toBe(0);
    expect(outcomes().map((outcome) => outcome.status)).toEqual(['REFUSED']);
  });
});

describe('a privileged action', () => {
  test('does not run unrecorded: SIDECAR_RECORD_UNAVAILABLE', async () => {
    fake.recorder.isBroken = (_, privileged) => privileged;
    await ask({ key: 'k' });
    expect(fake.calls.filter((call) => call.action !== null)).toEqual([]);
    expect(outcomes()).toMatchObject([{ status: 'REFUSED', code: 'UNAVAILABLE' }]);
  });

  test('is refused without its reason once the task had its fill: SIDECAR_REFUSAL_BUDGET', async () => {
    fake.complies = () => 'NO-GO';
    for (let number = 0; number < 10; number += 1) await ask({ key: `k${number}` });
    fake.complies = () => 'GO';
    await ask({ key: 'k' });
    expect(outcomes().at(-1)?.status).toBe('REFUSED');
    const last = fake.recorder.entries.filter((entry) => entry.kind === 'request.reviewed').at(-1);
    expect(last?.code).toBe('SIDECAR_REFUSAL_BUDGET');
  });

  test('stops when the clock jumped: SIDECAR_CLOCK_JUMPED', async () => {
    fake = new FakeSidecar('payments', { clockJumpedMs: () => 30_001 });
    fake.knows(triage);
    sidecar = new AgentSidecar(fake.context);
    await sidecar.recover();
    await ask({ key: 'k' });
    expect(fake.recorder.codes('request.reviewed')).toEqual(['SIDECAR_CLOCK_JUMPED']);
  });
});
