// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../message/json.ts';
import {
  credentialOf,
  nhi,
  nowMs,
  otherTask,
  payInvoice,
  spiffeIdOf,
  terms,
} from './mandate-fixture.ts';
import { noLimits, type Constraint, type EffectiveMandate, type MandateTerms } from './mandate.ts';
import { issueMandate, narrow } from './narrow.ts';
import {
  chargesOf,
  intersectRequestRights,
  satisfies,
  satisfiesAll,
  type MandatedRequest,
} from './satisfies.ts';

function mandate(change: Partial<MandateTerms> = {}): EffectiveMandate {
  const issued = issueMandate({ ...terms, ...change }, nhi('desk'));
  if (!issued.ok) throw new Error(issued.code);
  return issued.mandate;
}

function request(change: Partial<MandatedRequest> = {}): MandatedRequest {
  return {
    requester: { name: 'triage', spiffeId: spiffeIdOf('triage') },
    executor: 'payments',
    action: 'pay_invoice',
    parameters: { payee: 'ACME', amount: 100, memo: 'free' },
    trustedField: () => undefined,
    usage: { uses: () => 0, total: () => 0 },
    nowMs,
    ...change,
  };
}

function codes(found: ReturnType<typeof satisfies>): readonly string[] {
  return found.map(({ code }) => code);
}

/** What a single constraint on `x` says of a value. */
function judge(
  constraint: Constraint,
  parameters: JsonObject,
  trusted: JsonValue | undefined,
): string {
  const right = { ...payInvoice, constraints: { x: constraint }, limits: noLimits };
  const asked = request({ parameters, trustedField: () => trusted });
  return codes(satisfies(mandate({ rights: [right] }), asked))[0] ?? 'WITHIN';
}

describe('a constraint', () => {
  const outside: readonly (readonly [string, Constraint, JsonObject, string, JsonValue?])[] = [
    ['an absent parameter', { atMost: 1 }, {}, 'MANDATE_PARAMETER_MISSING'],
    ['an inherited member', { oneOf: ['a'] }, { toString: 1 }, 'MANDATE_PARAMETER_MISSING'],
    ['a value that is not listed', { oneOf: ['a'] }, { x: 'b' }, 'MANDATE_VALUE_UNLISTED'],
    ['a number where its text is listed', { oneOf: ['1'] }, { x: 1 }, 'MANDATE_VALUE_UNLISTED'],
    ['one item of a list', { oneOf: ['a'] }, { x: ['a'] }, 'MANDATE_VALUE_FORM'],
    ['an object', { oneOf: ['a'] }, { x: { a: 'a' } }, 'MANDATE_VALUE_UNLISTED'],
    ['null', { atMost: 5 }, { x: null }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['more than at most', { atMost: 5 }, { x: 5.000001 }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['a negative amount', { atMost: 5 }, { x: -1 }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['text for an amount', { atMost: 5 }, { x: '1' }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['below a range', { min: 1, max: 2 }, { x: 0.9 }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['above a range', { min: 1, max: 2 }, { x: 2.1 }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['another format', { formats: ['date'] }, { x: '2026-02-30' }, 'MANDATE_VALUE_FORMAT'],
    ['a number for a format', { formats: ['date'] }, { x: 20260101 }, 'MANDATE_VALUE_FORMAT'],
    ['long text', { formats: ['email'] }, { x: `${'a'.repeat(300)}@b.c` }, 'MANDATE_VALUE_FORMAT'],
    ['a field that nobody has', ref(), { x: 1 }, 'MANDATE_REFERENCE_UNRESOLVED'],
    ['another value than the field', ref(), { x: 1 }, 'MANDATE_VALUE_NOT_EQUAL', 2],
    ['the text of the field', ref(), { x: '1' }, 'MANDATE_VALUE_NOT_EQUAL', 1],
    ['no list where one is due', { each: true, atMost: 1 }, { x: 1 }, 'MANDATE_VALUE_FORM'],
    ['an empty list', { each: true, atMost: 1 }, { x: [] }, 'MANDATE_VALUE_FORM'],
    ['one bad item', { each: true, atMost: 1 }, { x: [1, 2] }, 'MANDATE_VALUE_OUT_OF_RANGE'],
    ['a list in a list', { each: true, oneOf: ['a'] }, { x: [['a']] }, 'MANDATE_VALUE_FORM'],
  ];
  for (const [name, constraint, parameters, code, trusted] of outside) {
    it(`refuses ${name}`, () => expect(judge(constraint, parameters, trusted)).toBe(code));
  }

  const within: readonly (readonly [string, Constraint, JsonObject, JsonValue?])[] = [
    ['a listed value', { oneOf: [1, 'a', true] }, { x: true }],
    ['both ends of a range', { min: 1, max: 1 }, { x: 1 }],
    ['nothing at all', { atMost: 0 }, { x: 0 }],
    ['a date', { formats: ['date'] }, { x: '2026-02-28' }],
    ['an address', { formats: ['email'] }, { x: 'ann@example.org' }],
    ['the value of the field', ref(), { x: '1' }, '1'],
    ['an absence that is allowed', { absent: true, atMost: 1 }, {}],
    ['a list whose items are all listed', { each: true, oneOf: ['a', 'b'] }, { x: ['b', 'a'] }],
  ];
  for (const [name, constraint, parameters, trusted] of within) {
    it(`allows ${name}`, () => expect(judge(constraint, parameters, trusted)).toBe('WITHIN'));
  }
});

describe('satisfies', () => {
  it('allows what is granted', () => {
    expect(satisfies(mandate(), request())).toEqual([]);
  });

  it.each<readonly [string, string, Partial<MandatedRequest>]>([
    ['another requester', 'MANDATE_AUDIENCE_MISMATCH', {
      requester: { name: 'planner', spiffeId: spiffeIdOf('planner') },
    }],
    ['another executor', 'MANDATE_RIGHT_ABSENT', { executor: 'ledger' }],
    ['another action', 'MANDATE_RIGHT_ABSENT', { action: 'close_account' }],
    ['performing what may only be requested', 'MANDATE_RIGHT_ABSENT', { executor: 'triage' }],
    ['a use after the end', 'MANDATE_EXPIRED', { nowMs: terms.expiresAt }],
    ['a use before the beginning', 'MANDATE_NOT_YET_VALID', { nowMs: terms.notBefore - 1 }],
    ['a use that nobody counts', 'MANDATE_USAGE_UNKNOWN', { usage: null }],
    ['a count that is no number', 'MANDATE_USAGE_UNKNOWN', {
      usage: { uses: () => NaN, total: () => 0 },
    }],
    ['a use too many', 'MANDATE_COUNT_EXCEEDED', { usage: { uses: () => 3, total: () => 0 } }],
    ['a sum too high', 'MANDATE_TOTAL_EXCEEDED', { usage: { uses: () => 0, total: () => 801 } }],
  ])('refuses %s', (_name, code, change) => {
    expect(codes(satisfies(mandate(), request(change)))).toContain(code);
  });

  it('keeps every finding, and no value in any of them', () => {
    const found = satisfies(mandate(), request({ parameters: { payee: 'Mallory', amount: 1e9 } }));
    expect(codes(found)).toEqual([
      'MANDATE_VALUE_OUT_OF_RANGE', 'MANDATE_VALUE_UNLISTED', 'MANDATE_TOTAL_EXCEEDED',
    ]);
    expect(JSON.stringify(found)).not.toMatch(/Mallory|1000000000/);
  });

  it('refuses to perform with a right to request, and the reverse', () => {
    const perform = mandate({
      rights: [{ right: 'perform', action: 'sort_mail', constraints: {}, limits: noLimits }],
    });
    const own = request({ executor: 'triage', action: 'sort_mail', parameters: {} });
    expect(satisfies(perform, own)).toEqual([]);
    expect(codes(satisfies(perform, { ...own, executor: 'payments' }))).toEqual([
      'MANDATE_RIGHT_ABSENT',
    ]);
  });

  it.each([[{}], [{ amount: -1 }], [{ amount: '1' }]])('lets %j escape no total', (parameters) => {
    const right = { ...payInvoice, constraints: {} };
    const found = satisfies(mandate({ rights: [right] }), request({ parameters }));
    expect(codes(found)).toEqual(['MANDATE_TOTAL_EXCEEDED']);
  });

  it('counts a window from its very length ago', () => {
    const rates = [{ count: 2, windowMs: 60_000 }];
    const right = { ...payInvoice, limits: { ...noLimits, rates } };
    const asked: (number | null)[] = [];
    const usage = {
      uses: (_mandate: string, _right: string, sinceMs: number | null) => {
        asked.push(sinceMs);
        return 2;
      },
      total: () => 0,
    };
    const found = satisfies(mandate({ rights: [right] }), request({ usage }));
    expect(codes(found)).toEqual(['MANDATE_RATE_EXCEEDED']);
    expect(asked).toEqual([nowMs - 60_000]);
  });

  it('counts against every mandate above, so that siblings share one limit', () => {
    const issued = issueMandate(terms, nhi('desk'));
    if (!issued.ok) throw new Error(issued.code);
    const limits = { ...payInvoice.limits, count: 1 };
    const child = narrow(
      issued.chain,
      { audience: 'planner', oispec: null, rights: [{ ...payInvoice, limits }] },
      credentialOf('triage'),
    );
    if (!child.ok) throw new Error(child.code);
    const requester = { name: 'planner', spiffeId: spiffeIdOf('planner') };
    const asked = request({ requester });
    expect(chargesOf(child.mandate, asked).map((charge) => charge.mandate)).toEqual([
      issued.mandate.id, child.mandate.id,
    ]);
    expect(chargesOf(child.mandate, asked)[0]).toEqual({
      mandate: issued.mandate.id, right: 'request payments pay_invoice', totals: { amount: 100 },
      limits: payInvoice.limits,
    });
    // The sibling used the root up; this child has not been used at all.
    const usage = {
      uses: (id: string) => (id === issued.mandate.id ? 3 : 0),
      total: () => 0,
    };
    const found = satisfies(child.mandate, { ...asked, usage });
    expect(codes(found)).toEqual(['MANDATE_COUNT_EXCEEDED']);
  });
});

describe('the right to request', () => {
  const narrower = mandate({
    audience: 'planner',
    rights: [{
      ...payInvoice,
      constraints: { amount: { atMost: 50 }, memo: { oneOf: ['free', 'none'] } },
      limits: noLimits,
    }],
  });

  it.each<readonly [string, readonly (EffectiveMandate | null)[]]>([
    ['nobody vouches', []],
    ['one of them has no mandate', [mandate(), null]],
    ['one of them lacks the right', [mandate(), mandate({ rights: [] })]],
    ['one of them may only perform it', [mandate(), mandate({
      rights: [{ right: 'perform', action: 'pay_invoice', constraints: {}, limits: noLimits }],
    })]],
    ['one of them serves another task', [mandate(), mandate({ task: otherTask })]],
    ['no value suits both', [mandate(), mandate({
      rights: [{ ...payInvoice, constraints: { payee: { oneOf: ['Eve'] } } }],
    })]],
  ])('is nothing where %s', (_name, mandates) => {
    expect(codes(satisfiesAll(intersectRequestRights(mandates), request()))).toEqual([
      'MANDATE_PRINCIPAL_DENIES',
    ]);
  });

  it('is what all of them grant', () => {
    const shared = intersectRequestRights([mandate(), narrower]);
    const dear = request({ parameters: { payee: 'ACME', amount: 51, memo: 'free' } });
    expect(codes(satisfiesAll(shared, dear))).toEqual(['MANDATE_VALUE_OUT_OF_RANGE']);
    const other = request({ parameters: { payee: 'Eve', amount: 1, memo: 'x' } });
    expect(codes(satisfiesAll(shared, other))).toEqual([
      'MANDATE_VALUE_UNLISTED', 'MANDATE_VALUE_UNLISTED',
    ]);
    const cheap = request({ parameters: { payee: 'ACME', amount: 50, memo: 'free' } });
    expect(satisfiesAll(shared, cheap)).toEqual([]);
    expect(chargesOf(shared, cheap)).toHaveLength(1);
  });

  it.each<readonly [string, Constraint, Constraint, JsonObject, string]>([
    ['a list where one asks for a single value', { each: true, oneOf: ['a'] }, { oneOf: ['a'] },
      { x: ['a'] }, 'MANDATE_PRINCIPAL_DENIES'],
    ['an absence that one does not allow', { absent: true, oneOf: ['a'] }, { oneOf: ['a'] }, {},
      'MANDATE_PARAMETER_MISSING'],
    ['a number below the other\'s least', { max: 5 }, { min: 3 }, { x: 2 },
      'MANDATE_VALUE_OUT_OF_RANGE'],
    ['bounds that exclude each other', { atMost: 2 }, { min: 3 }, { x: 2 },
      'MANDATE_PRINCIPAL_DENIES'],
  ])('refuses %s, whichever comes first', (_name, one, other, parameters, code) => {
    const [first, second] = [one, other].map((constraint) => mandate({
      rights: [{ ...payInvoice, constraints: { x: constraint }, limits: noLimits }],
    }));
    if (first === undefined || second === undefined) throw new Error('two were made');
    for (const mandates of [[first, second], [second, first]]) {
      const shared = intersectRequestRights(mandates);
      expect(codes(satisfiesAll(shared, request({ parameters })))).toEqual([code]);
    }
  });

  it('ends with the first of them', () => {
    const short = mandate({ expiresAt: nowMs + 1 });
    const shared = intersectRequestRights([mandate(), short]);
    expect(codes(satisfiesAll(shared, request({ nowMs: nowMs + 1 })))).toContain('MANDATE_EXPIRED');
  });
});

function ref(): Constraint {
  return { equalTo: [{ message: 'invoice/1', pointer: '/amount' }] };
}
