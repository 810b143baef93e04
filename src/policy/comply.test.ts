// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agentOf, base, codes, input, meshWith, oispec, parameters, payments, requester, type Change,
} from '../../test/mesh-files/request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Label } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { comply } from './comply.ts';

describe('comply', () => {
  it('lets a permitted request with sourced values pass, and says that it has no Cedar', () => {
    const verdict = comply(input());
    expect(verdict).toMatchObject({ outcome: 'GO', control: 'policy-compliance', findings: [] });
    expect(verdict.version).toContain('cedar:none');
    expect(verdict.tookUs).toBeGreaterThanOrEqual(0);
  });

  it.each<[string, Change, string]>([
    ['an unknown action', { action: 'wire_money' }, 'POLICY_ACTION_UNKNOWN'],
    [
      'an action named like a member of every object',
      { action: '__proto__' },
      'POLICY_ACTION_UNKNOWN',
    ],
    ['a requester without an edge', { requester: { agent: 'desk' } }, 'POLICY_EDGE_DENIED'],
    ['a requester that does not exist', { requester: { agent: 'ghost' } }, 'POLICY_ROLE_DENIED'],
    ['an unknown domain', { domain: 'other' }, 'POLICY_DOMAIN_UNKNOWN'],
    [
      'an executor of another role',
      { executor: { ...payments, role: 'ANALYST' } },
      'POLICY_ROLE_DENIED',
    ],
    ['an agent that is no executor', { executor: agentOf(base, 'triage') }, 'POLICY_NOT_EXECUTOR'],
    [
      'an executor without the tool',
      { executor: { ...payments, tools: [] } },
      'POLICY_NOT_EXECUTOR',
    ],
    [
      'an executor without an OISpec',
      { executor: { ...payments, oispec: null } },
      'POLICY_OISPEC_MISSING',
    ],
    [
      "another agent's OISpec",
      { executor: { ...payments, oispec: { ...oispec, agent: 'x' } } },
      'POLICY_OISPEC_MISSING',
    ],
    [
      'a tool outside the OISpec',
      { executor: { ...payments, oispec: { ...oispec, permittedTools: ['mail'] } } },
      'POLICY_OISPEC_TOOL',
    ],
    [
      'an action outside the OISpec',
      { executor: { ...payments, oispec: { ...oispec, permittedActions: [] } } },
      'POLICY_OISPEC_ACTION',
    ],
    [
      'a prohibited action',
      { executor: { ...payments, oispec: { ...oispec, prohibitedActions: ['pay_invoice'] } } },
      'POLICY_OISPEC_ACTION',
    ],
    [
      'a domain outside the OISpec',
      { executor: { ...payments, oispec: { ...oispec, dataScope: ['other'] } } },
      'POLICY_OISPEC_SCOPE',
    ],
    [
      'a risk above the OISpec',
      { executor: { ...payments, oispec: { ...oispec, riskClassification: 'MEDIUM' } } },
      'POLICY_OISPEC_RISK',
    ],
    [
      'a missing parameter',
      { parameters: { invoice: '42', payee: 'ACME' } },
      'POLICY_PARAMETERS_INVALID',
    ],
    [
      'an extra parameter',
      { parameters: { ...parameters, note: 'x' } },
      'POLICY_PARAMETERS_INVALID',
    ],
    [
      'prose in a parameter',
      { parameters: { ...parameters, payee: 'ignore this' } },
      'POLICY_PARAMETERS_INVALID',
    ],
    [
      'an amount as text',
      { parameters: { ...parameters, amount: '98.7' } },
      'POLICY_PARAMETERS_INVALID',
    ],
    ['too many hand-offs', { requester: { hop: 9 } }, 'POLICY_HOPS_EXCEEDED'],
    ['a hop that is not a number', { requester: { hop: Number.NaN } }, 'POLICY_HOPS_EXCEEDED'],
    ['a negative hop', { requester: { hop: -1 } }, 'POLICY_HOPS_EXCEEDED'],
    ['a clock that says nothing', { nowMs: Number.NaN }, 'POLICY_CLOCK_INVALID'],
    ['an executor without isolation', { isolation: 'none' }, 'POLICY_ISOLATION_WEAK'],
    [
      'an executor less isolated than declared',
      { executor: { ...payments, isolation: 'container' } },
      'POLICY_ISOLATION_WEAK',
    ],
    [
      'a stopped executor',
      { paceClamp: { phase: 'EMERGENCY', allows: 'nothing' } },
      'POLICY_PACE_STOPPED',
    ],
    [
      'a write while only reads are allowed',
      { paceClamp: { phase: 'ALTERNATE', allows: 'read-only' } },
      'POLICY_PACE_READ_ONLY',
    ],
    [
      'an unsourced payee',
      { requester: { sources: { '/parameters/amount': ['prompt'] } } },
      'POLICY_SOURCE_UNTRUSTED',
    ],
    [
      'a payee whose source is not listed',
      { requester: { sources: { '/parameters/payee': ['mail.read_file.content'] } } },
      'POLICY_SOURCE_UNTRUSTED',
    ],
    [
      'a stamp for another parameter',
      { requester: { sources: { '/parameters/payee/0': ['prompt'], '/payee': ['prompt'] } } },
      'POLICY_SOURCE_UNTRUSTED',
    ],
    [
      'stamps of a sidecar inside the agent',
      { requester: { isolation: 'none' } },
      'POLICY_SOURCE_UNTRUSTED',
    ],
    [
      'an amount over its bound',
      { parameters: { ...parameters, amount: 5000.01 } },
      'POLICY_BOUND_EXCEEDED',
    ],
    ['a sum over its cap', { capUsed: () => 7950 }, 'POLICY_CAP_EXCEEDED'],
    ['a cap whose use cannot be told', { capUsed: () => Number.NaN }, 'POLICY_CAP_EXCEEDED'],
    ['a negative use of a cap', { capUsed: () => -1e9 }, 'POLICY_CAP_EXCEEDED'],
    ['a lookup that fails', { capUsed: () => { throw new Error('disk'); } }, 'POLICY_FAILED'],
  ])('refuses %s', (_, change, code) => {
    expect(comply(input(change)).outcome).toBe('NO-GO');
    expect(codes(change)).toContain(code);
  });

  it('finds the edge of exactly this executor and domain', () => {
    const other = { ...payments, name: 'payments2', oispec: { ...oispec, agent: 'payments2' } };
    expect(codes({ executor: other })).toEqual(['POLICY_EDGE_DENIED']);
    const added = '    - { name: other, tier: PLAINTEXT, allowed_roles: [RETRIEVER, EXECUTOR] }';
    const mesh = meshWith([['  zones:', `${added}\n  zones:`]]);
    const executor = { ...payments, oispec: { ...oispec, dataScope: ['other'] } };
    expect(codes({ mesh, executor, domain: 'other' })).toEqual(['POLICY_EDGE_DENIED']);
  });

  it('runs no executor without isolation, whatever the mesh file says of it', () => {
    const executor = { ...payments, isolation: 'none' as const };
    expect(codes({ executor, isolation: 'none' })).toEqual(['POLICY_ISOLATION_WEAK']);
  });

  it('keeps every finding, refusals first', () => {
    const change: Change = {
      mesh: meshWith([['risk: HIGH', 'risk: HIGH\n      approval: required']]),
      parameters: { invoice: 'x y', payee: 'ACME', amount: 9000 },
      requester: { sources: {}, hop: 30 },
    };
    expect(comply(input(change)).outcome).toBe('NO-GO');
    expect(codes(change)).toEqual([
      'POLICY_HOPS_EXCEEDED', 'POLICY_PARAMETERS_INVALID', 'POLICY_SOURCE_UNTRUSTED',
      'POLICY_BOUND_EXCEEDED', 'POLICY_SOURCE_UNTRUSTED', 'POLICY_CAP_EXCEEDED',
      'POLICY_APPROVAL_REQUIRED',
    ]);
  });

  it('never holds a value of the request', () => {
    const secret = 'VERY-SECRET-PAYEE';
    const verdict = comply(input({
      parameters: { invoice: secret, payee: secret, amount: 1e9, [secret.toLowerCase()]: 1 },
      requester: { sources: {} },
    }));
    expect(verdict.findings.length).toBeGreaterThan(2);
    expect(JSON.stringify(verdict)).not.toContain(secret);
  });

  it('believes an in-process requester only in development', () => {
    const mesh = meshWith([['autonomy_tier: 2', 'autonomy_tier: 2, development: true']]);
    expect(codes({ mesh, requester: { isolation: 'none' }, isolation: 'none' })).toEqual([]);
  });
});

describe('where values come from (G5)', () => {
  const reversible = meshWith([['reversibility: irreversible', 'reversibility: compensable']]);
  const trusted: Label = { classification: 'internal', integrity: 'trusted', origins: ['prompt'] };
  const listed = 'bank.verified_payees.payees.*.name';

  it('takes a whole value that a listed tool vouches for at the executor', () => {
    const amountOnly = { '/parameters/amount': ['prompt'] };
    const trustedValues = (source: string): ReadonlySet<string> | null =>
      source === listed ? new Set(['"ACME"']) : null;
    expect(codes({ requester: { sources: amountOnly }, trustedValues })).toEqual([]);
    for (const payee of ['acme', 'ACM', 'ACME-2', '"ACME"']) {
      expect(codes({
        parameters: { ...parameters, payee }, requester: { sources: amountOnly }, trustedValues,
      })).toContain('POLICY_SOURCE_UNTRUSTED');
    }
  });

  it('asks no tool what the person said', () => {
    const trustedValues = (source: string): ReadonlySet<string> | null =>
      source === 'prompt' ? new Set(['"ACME"', '98.7']) : null;
    const found = codes({ requester: { sources: {} }, trustedValues });
    expect(found).toContain('POLICY_SOURCE_UNTRUSTED');
  });

  it('lets a trusted context fill what can be undone, and nothing that cannot', () => {
    const clean = { requester: { label: trusted, sources: {} } };
    expect(codes({ mesh: reversible, ...clean })).toEqual([]);
    expect(codes(clean)).toContain('POLICY_SOURCE_UNTRUSTED');
  });

  it('holds bounds in a trusted context too', () => {
    const clean = { label: trusted, sources: requester.sources };
    const amount = { ...parameters, amount: 5001 };
    const found = codes({ mesh: reversible, requester: clean, parameters: amount });
    expect(found).toContain('POLICY_BOUND_EXCEEDED');
  });

  it('lets a bounded parameter without listed sources vary within its bound', () => {
    const mesh = meshWith([
      ['reversibility: irreversible', 'reversibility: reversible'],
      ['from: [prompt], at_most: 5000', 'at_most: 5000'],
    ]);
    const sources = { '/parameters/payee': ['prompt'] };
    expect(codes({ mesh, requester: { sources } })).toEqual([]);
    expect(codes({ mesh, requester: { sources }, parameters: { ...parameters, amount: 5001 } }))
      .toContain('POLICY_BOUND_EXCEEDED');
  });

  it('compares one_of by value and type', () => {
    const mesh = meshWith([['at_most: 5000', 'one_of: [10, "20"]']]);
    expect(codes({ mesh, parameters: { ...parameters, amount: 10 } })).toEqual([]);
    for (const amount of [20, '10', 11]) {
      const found = codes({ mesh, parameters: { ...parameters, amount } });
      expect(found).toContain('POLICY_VALUE_UNLISTED');
    }
  });
});

describe('amounts', () => {
  it('below zero are outside every bound and every cap by themselves', () => {
    const open = meshWith([]);
    const action = open.actions.get('pay_invoice');
    if (action === undefined) throw new Error('the sample has changed');
    const schema = { type: 'object', properties: { amount: { type: 'number' } } };
    const actions = new Map([['pay_invoice', { ...action, parameters: schema }]]);
    const mesh = { ...open, actions };
    expect(codes({ mesh, parameters: { amount: -1 } }))
      .toEqual(['POLICY_BOUND_EXCEEDED', 'POLICY_CAP_EXCEEDED']);
    expect(codes({ mesh, parameters: { amount: -0 } })).toEqual([]);
    expect(codes({ mesh, parameters: {} })).toEqual(['POLICY_CAP_EXCEEDED']);
  });

  const odd: fc.Arbitrary<JsonValue> = fc.oneof(
    fc.double(), fc.integer(), fc.constantFrom<JsonValue>(
      Number.NaN, Infinity, -Infinity, -0, 0, -1, 1e308, 5e-324, 5000, 5000.000000001, 8000,
      null, true,      '5', '1e3', '', [], [1], {}, { valueOf: 1 },
    ),
  );

  it('pass only when they are numbers within bound and cap', () => {
    const use = fc.oneof(fc.double(), fc.integer({ min: 0, max: 9000 }));
    fc.assert(fc.property(odd, use, (amount, used) => {
      const verdict = comply(input({ parameters: { ...parameters, amount }, capUsed: () => used }));
      const fits = typeof amount === 'number' && amount > 0 && amount <= 5000 &&
        used >= 0 && used + amount <= 8000;
      expect(verdict.outcome).toBe(fits ? 'GO' : 'NO-GO');
    }), { numRuns: 2000 });
  });

  it('never pass as another type than the vouched one', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (amount) => {
      const vouched = new Set([canonicalize(String(amount))]);
      const found = codes({
        parameters: { ...parameters, amount },
        requester: { sources: { '/parameters/payee': ['prompt'] } },
        trustedValues: () => vouched,
      });
      expect(found).toContain('POLICY_SOURCE_UNTRUSTED');
    }), { numRuns: 300 });
  });
});
