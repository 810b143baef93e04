// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { credentialOf, nhi, nowMs, operator, payInvoice, terms } from './mandate-fixture.ts';
import { noLimits, type EffectiveMandate, type MandateTerms } from './mandate.ts';
import { issueMandate, narrow, type IssuedMandate } from './narrow.ts';
import { isSecondChain } from './second-chain.ts';

const free = { ...payInvoice, limits: noLimits };

function issued(made: IssuedMandate): { readonly chain: string; readonly mandate: EffectiveMandate } {
  if (!made.ok) throw new Error(made.code);
  return made;
}
const root = (change: Partial<MandateTerms> = {}, by = nhi('desk')) =>
  issued(issueMandate({ ...terms, rights: [free], ...change }, by));

describe('a second chain for a task', () => {
  const first = root().mandate;

  it.each<[string, EffectiveMandate]>([
    ['another originator', root({}, operator('alice')).mandate],
    ['a right more', root({ rights: [free, { ...free, action: 'refund' }] }).mandate],
    ['a constraint less', root({ rights: [{ ...free, constraints: {} }] }).mandate],
    ['a larger amount', root({
      rights: [{ ...free, constraints: { ...free.constraints, amount: { atMost: 501 } } }],
    }).mandate],
  ])('is one with %s', (_, candidate) => {
    expect(isSecondChain([first], candidate)).toBe(true);
  });

  it('is one that drops the output, or goes deeper, or begins to count anew', () => {
    const bound = root({ output: 'order-result/1', maxDepth: 1 }).mandate;
    expect(isSecondChain([bound], root({ maxDepth: 1 }).mandate)).toBe(true);
    expect(isSecondChain([bound], root({ output: 'order-result/1' }).mandate)).toBe(true);
    const limited = root({ rights: [payInvoice] });
    const again = root({ rights: [payInvoice], notBefore: nowMs - 500 });
    expect(isSecondChain([limited.mandate], again.mandate)).toBe(true);
    const less = { ...payInvoice, limits: { ...payInvoice.limits, count: 1 } };
    expect(isSecondChain([limited.mandate], root({ rights: [less] }).mandate)).toBe(true);
  });

  it('is not the same one, an equal one as after a renewal, a narrower one, or another delegate\'s', () => {
    expect(isSecondChain([], first)).toBe(false);
    expect(isSecondChain([first], first)).toBe(false);
    expect(isSecondChain([first], root({ expiresAt: nowMs + 900_000 }).mandate)).toBe(false);
    const narrower = { ...free, constraints: { ...free.constraints, amount: { atMost: 1 } } };
    expect(isSecondChain([first], root({ rights: [narrower] }).mandate)).toBe(false);
    expect(isSecondChain([first], root({ audience: 'planner' }).mandate)).toBe(false);
    const chain = root().chain;
    const child = narrow(chain, { audience: 'planner', oispec: null }, credentialOf('triage'));
    expect(isSecondChain([first], issued(child).mandate)).toBe(false);
  });
});
