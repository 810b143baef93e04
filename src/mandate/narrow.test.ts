// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  contextFor,
  credentialOf,
  nhi,
  nowMs,
  operator,
  payInvoice,
  terms,
} from './mandate-fixture.ts';
import { depthMax, noLimits, type MandateTerms, type Right } from './mandate.ts';
import { issueMandate, narrow, readUnverified, type Narrowing } from './narrow.ts';
import { verifyMandate } from './verify.ts';

function issued(change: Partial<MandateTerms> = {}): string {
  const result = issueMandate({ ...terms, ...change }, nhi('desk'));
  if (!result.ok) throw new Error(result.code);
  return result.chain;
}

function codeOf(narrowing: Partial<Narrowing>, by = 'triage', chain = issued()): string {
  const stated = { audience: 'planner', oispec: null, ...narrowing };
  const result = narrow(chain, stated, credentialOf(by));
  return result.ok ? 'NARROWED' : result.code;
}

function pay(change: Partial<typeof payInvoice>): readonly Right[] {
  return [{ ...payInvoice, ...change }];
}

describe('narrow', () => {
  it.each<readonly [string, string, Partial<Narrowing>]>([
    ['a right it lacks', 'MANDATE_WIDENS_RIGHT', { rights: pay({ action: 'close_account' }) }],
    ['another executor', 'MANDATE_WIDENS_RIGHT', { rights: pay({ executor: 'ledger' }) }],
    ['a dropped constraint', 'MANDATE_WIDENS_CONSTRAINT', { rights: pay({ constraints: {} }) }],
    ['a larger amount', 'MANDATE_WIDENS_CONSTRAINT', {
      rights: pay({ constraints: { ...payInvoice.constraints, amount: { atMost: 501 } } }),
    }],
    ['the amount as a range instead', 'MANDATE_WIDENS_CONSTRAINT', {
      rights: pay({ constraints: { ...payInvoice.constraints, amount: { min: 0, max: 10 } } }),
    }],
    ['one payee more', 'MANDATE_WIDENS_CONSTRAINT', {
      rights: pay({
        constraints: { ...payInvoice.constraints, payee: { oneOf: ['ACME', 'Eve'] } },
      }),
    }],
    ['a higher count', 'MANDATE_WIDENS_LIMIT', {
      rights: pay({ limits: { ...payInvoice.limits, count: 4 } }),
    }],
    ['no limits', 'MANDATE_WIDENS_LIMIT', { rights: pay({ limits: noLimits }) }],
    ['an earlier beginning', 'MANDATE_WIDENS_TIME', { notBefore: terms.notBefore - 1 }],
    ['a later end', 'MANDATE_WIDENS_TIME', { expiresAt: terms.expiresAt + 1 }],
    ['more depth', 'MANDATE_WIDENS_DEPTH', { maxDepth: 3 }],
    ['less depth than it takes itself', 'MANDATE_DEPTH_EXCEEDED', { maxDepth: 1 }],
    ['the way back', 'MANDATE_CYCLE', { audience: 'desk' }],
    ['itself', 'MANDATE_CYCLE', { audience: 'triage' }],
    ['a name that is none', 'MANDATE_TERMS_INVALID', { audience: 'A B' }],
    ['a number that is none', 'MANDATE_TERMS_INVALID', { notBefore: NaN }],
    ['rights that are none', 'MANDATE_TERMS_INVALID', { rights: [null as never] }],
    ['limits that are none', 'MANDATE_TERMS_INVALID', { rights: pay({ limits: null as never }) }],
  ])('refuses %s', (_name, code, narrowing) => {
    const chain = issued();
    const coded = narrowing.maxDepth === 3 ? 'MANDATE_TERMS_INVALID' : code;
    expect(codeOf(narrowing, 'triage', chain)).toBe(coded);
  });

  it('refuses whoever does not hold the mandate', () => {
    expect(codeOf({}, 'stranger')).toBe('MANDATE_HOLDER_MISMATCH');
    expect(codeOf({}, 'desk')).toBe('MANDATE_HOLDER_MISMATCH');
    const toSecond = issued({ audience: credentialOf('triageSecond').spiffeId });
    expect(codeOf({}, 'triage', toSecond)).toBe('MANDATE_HOLDER_MISMATCH');
  });

  it('refuses another output, and lets an open one be set', () => {
    const chain = issued({ output: 'report/1' });
    expect(codeOf({ output: 'report/2' }, 'triage', chain)).toBe('MANDATE_WIDENS_OUTPUT');
    expect(codeOf({ output: 'report/2' })).toBe('NARROWED');
  });

  it('refuses a third hop unless the root was approved for it', () => {
    const two = narrow(issued(), { audience: 'planner', oispec: null }, credentialOf('triage'));
    const third = two.ok && codeOf({ audience: 'ledger' }, 'planner', two.chain);
    expect(third).toBe('MANDATE_DEPTH_EXCEEDED');
    const deep = issued({ maxDepth: depthMax, approval: 'approval-1' });
    const next = narrow(deep, { audience: 'planner', oispec: null }, credentialOf('triage'));
    expect(next.ok && codeOf({ audience: 'ledger' }, 'planner', next.chain)).toBe('NARROWED');
  });

  it('refuses a chain that it cannot read', () => {
    expect(codeOf({}, 'triage', 'x')).toBe('MANDATE_MALFORMED');
    expect(codeOf({}, 'triage', issued().repeat(40))).toBe('MANDATE_TOO_LARGE');
  });

  it('refuses to outlive the certificate that signs, and ends with it when nothing is said', () => {
    const short = credentialOf('triageShort');
    const narrowing = { audience: 'planner', oispec: null };
    const asked = narrow(issued(), { ...narrowing, expiresAt: short.expiresAtMs + 1 }, short);
    expect(asked).toEqual({ ok: false, code: 'MANDATE_OUTLIVES_SIGNER', path: '/expiresAt' });
    const unsaid = narrow(issued(), narrowing, short);
    expect(unsaid.ok && unsaid.mandate.expiresAt).toBe(short.expiresAtMs);
  });

  it('takes lists in any order and signs the canonical one', () => {
    const rights = pay({
      constraints: { amount: { atMost: 5 }, payee: { oneOf: ['Globex', 'ACME'] } },
    });
    const narrowing = { audience: 'planner', oispec: null, rights };
    const result = narrow(issued(), narrowing, credentialOf('triage'));
    expect(result.ok && result.mandate.rights[0]?.constraints['payee']).toEqual({
      oneOf: ['ACME', 'Globex'],
    });
    const verdict = verifyMandate(result.ok ? result.chain : '', contextFor('planner'));
    expect(verdict.ok && verdict.mandate).toEqual(result.ok && result.mandate);
  });

  it('leaves what it was given as it was', () => {
    const rights = Object.freeze(pay({ constraints: Object.freeze(payInvoice.constraints) }));
    expect(codeOf({ rights })).toBe('NARROWED');
  });
});

describe('issueMandate', () => {
  it.each<readonly [string, string, Partial<MandateTerms>, string | null]>([
    ['a depth of three without approval', 'MANDATE_TERMS_INVALID', { maxDepth: 3 }, '/approval'],
    ['a needless approval', 'MANDATE_TERMS_INVALID', { approval: 'a' }, '/approval'],
    ['no time at all', 'MANDATE_TERMS_INVALID', { expiresAt: terms.notBefore }, '/expiresAt'],
    ['a task that is none', 'MANDATE_TERMS_INVALID', { task: 'x' }, '/task'],
    ['a sponsor with white space', 'MANDATE_TERMS_INVALID', { sponsor: 'a b' }, '/sponsor'],
    ['one right twice', 'MANDATE_TERMS_INVALID', { rights: [payInvoice, payInvoice] }, '/rights'],
    ['an hour beyond the certificate', 'MANDATE_OUTLIVES_SIGNER', {
      expiresAt: nowMs + 7_200_000,
    }, '/expiresAt'],
    ['itself', 'MANDATE_CYCLE', { audience: 'desk' }, null],
  ])('refuses %s', (_name, code, change, path) => {
    expect(issueMandate({ ...terms, ...change }, nhi('desk'))).toEqual({ ok: false, code, path });
  });

  it('refuses more than an envelope can carry', () => {
    const names = Array.from({ length: 32 }, (_, index) => `a${index}`);
    const oneOf = names.map((name) => name.padEnd(200, 'x'));
    const rights = names.map((action): Right => ({
      ...payInvoice, action, constraints: { payee: { oneOf } },
    }));
    const result = issueMandate({ ...terms, rights }, nhi('desk'));
    expect(result).toMatchObject({ code: 'MANDATE_TOO_LARGE' });
  });

  it('lets an operator issue for longer than any certificate lives', () => {
    const expiresAt = nowMs + 86_400_000;
    const result = issueMandate({ ...terms, expiresAt }, operator('alice'));
    expect(result.ok && result.mandate.path).toEqual(['operator:alice', 'agent:triage']);
    expect(result.ok && verifyMandate(result.chain, contextFor('triage')).ok).toBe(true);
  });

  it('throws when the key is not Ed25519', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    expect(() => issueMandate(terms, { kind: 'operator', name: 'alice', privateKey })).toThrow(
      expect.objectContaining({ code: 'IDENTITY_CREDENTIAL_CORRUPT' }),
    );
  });
});

describe('readUnverified', () => {
  it('shows what a chain says, and proves nothing', () => {
    const chain = issued();
    const read = readUnverified(chain);
    expect(read.ok && read.mandate.audience).toBe('triage');
  });
});
