// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { codes, input, meshWith, oispec, payments } from '../../test/mesh-files/request.ts';
import { comply } from './comply.ts';
import type { StandingApproval } from '../mesh/oversight.ts';
import { peopleFindings, standingApprovalOf, type GrantedApproval } from './people.ts';

describe('people', () => {
  const approve = (...operators: string[]): readonly GrantedApproval[] =>
    operators.map((operator) => ({ operator, digest: 'digest-1' }));
  const critical = meshWith([['risk: HIGH', 'risk: CRITICAL']]);
  const spec = { ...payments, oispec: { ...oispec, riskClassification: 'CRITICAL' as const } };

  it('hold every write at tier 1, and no read', () => {
    const mesh = meshWith([['autonomy_tier: 2', 'autonomy_tier: 1']]);
    expect(comply(input({ mesh })).outcome).toBe('ESCALATE');
    expect(codes({ mesh })).toEqual(['POLICY_TIER_SUPERVISED']);
    expect(codes({ mesh, action: 'check_payment', parameters: { invoice: '42' } })).toEqual([]);
    expect(codes({ mesh, approvals: approve('alice') })).toEqual([]);
  });

  it('hold every write under supervision', () => {
    const paceClamp = { phase: 'ALTERNATE', allows: 'supervised' } as const;
    expect(codes({ paceClamp })).toEqual(['POLICY_PACE_SUPERVISED']);
  });

  it('hold what the manifest says', () => {
    const mesh = meshWith([['risk: HIGH', 'risk: LOW\n      approval: required']]);
    expect(codes({ mesh })).toEqual(['POLICY_APPROVAL_REQUIRED']);
    expect(codes({ mesh, approvals: approve('alice') })).toEqual([]);
  });

  it('are two different ones for a CRITICAL action, at every tier', () => {
    for (const tier of ['1', '2', '3']) {
      const mesh = meshWith([
        ['risk: HIGH', 'risk: CRITICAL'], ['autonomy_tier: 2', `autonomy_tier: ${tier}`],
      ]);
      const executor = spec;
      expect(codes({ mesh, executor })).toContain('POLICY_TWO_PEOPLE_REQUIRED');
      const once = approve('alice');
      expect(codes({ mesh, executor, approvals: once })).toContain('POLICY_TWO_PEOPLE_REQUIRED');
      const twice = approve('alice', 'alice');
      expect(codes({ mesh, executor, approvals: twice })).toContain('POLICY_TWO_PEOPLE_REQUIRED');
      expect(codes({ mesh, executor, approvals: approve('alice', 'bob') })).toEqual([]);
    }
  });

  it('release only the request that they signed', () => {
    const change = { mesh: critical, executor: spec };
    const foreign = ['alice', 'bob'].map((operator) => ({ operator, digest: 'digest-2' }));
    expect(codes({ ...change, approvals: foreign })).toContain('POLICY_TWO_PEOPLE_REQUIRED');
    const approvals = ['alice', 'bob'].map((operator) => ({ operator, digest: '' }));
    for (const requestDigest of ['', null]) {
      const found = codes({ ...change, approvals, requestDigest });
      expect(found).toContain('POLICY_TWO_PEOPLE_REQUIRED');
    }
  });

  it('turn no refusal into permission', () => {
    const verdict = comply(input({
      mesh: critical,
      executor: spec,
      approvals: approve('alice', 'bob'),
      requester: { sources: {} },
    }));
    expect(verdict.outcome).toBe('NO-GO');
  });

  it('are not asked for a HIGH action by itself', () => {
    for (const tier of ['2', '3']) {
      const mesh = meshWith([['autonomy_tier: 2', `autonomy_tier: ${tier}`]]);
      expect(codes({ mesh })).toEqual([]);
    }
  });
});

describe('a standing approval', () => {
  const given: StandingApproval = {
    id: 'small', action: 'pay_invoice', requester: 'triage', until: 2_000, by: 'alice', reason: 'rent',
    where: new Map([['payee', { oneOf: ['ACME'] }], ['amount', { atMost: 100 }]]),
  };
  const covers = (change: object = {}, requester = 'triage', nowMs = 1_000): string | null =>
    standingApprovalOf(
      { action: 'pay_invoice', parameters: { payee: 'ACME', amount: 100, ...change } },
      requester, [given], nowMs,
    )?.id ?? null;

  it('covers what it says and nothing beside it', () => {
    expect(covers()).toBe('small');
    const not = [{ amount: 100.01 }, { amount: NaN }, { amount: -1 }, { amount: '1' }, { payee: 'EVE' }, { more: 1 }];
    for (const change of not) expect(covers(change)).toBeNull();
    expect(covers({}, 'planner')).toBeNull();
    expect(covers({}, 'triage', 2_000)).toBeNull();
  });

  it('answers the manifest\'s question only, and never for a CRITICAL action', () => {
    const asked = { autonomyTier: 2, supervised: false, approvals: [], requestDigest: null, standing: 'small' } as const;
    const action = (risk: 'HIGH' | 'CRITICAL') => {
      const found = meshWith([['risk: HIGH', `risk: ${risk}\n      approval: required`]]).actions.get('pay_invoice');
      if (found === undefined) throw new Error('no action');
      return found;
    };
    const codesOf = (risk: 'HIGH' | 'CRITICAL', change: object = {}) =>
      peopleFindings(action(risk), { ...asked, ...change }).map(({ code }) => code);
    expect(codesOf('HIGH')).toEqual([]);
    expect(codesOf('HIGH', { standing: null })).toEqual(['POLICY_APPROVAL_REQUIRED']);
    expect(codesOf('HIGH', { supervised: true })).toEqual(['POLICY_PACE_SUPERVISED']);
    expect(codesOf('CRITICAL')).toEqual(['POLICY_TWO_PEOPLE_REQUIRED', 'POLICY_APPROVAL_REQUIRED']);
  });
});
