// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MandateLedger } from './ledger.ts';
import { noLimits, type Limits } from './mandate.ts';
import type { MandateCharge } from './satisfies.ts';

const right = 'request payments pay_invoice';

/** A charge of one use over 10 euros against these limits. */
export function chargeOf(
  mandate: string,
  limits: Partial<Limits>,
  totals: MandateCharge['totals'] = {},
): MandateCharge {
  return { mandate, right, totals, limits: { ...noLimits, ...limits } };
}

/** What every ledger does; `reopened` gives the same one as after a restart of its process. */
export function describeMandateLedger(
  open: () => { readonly ledger: MandateLedger; readonly reopened: () => MandateLedger },
): void {
  const codeOf = async (charged: ReturnType<MandateLedger['charge']>): Promise<string> => {
    const answer = await charged;
    return answer.ok ? (answer.isNew ? 'new' : 'known') : answer.code;
  };

  it('refuses the use after the last one, also after a restart', async () => {
    const { ledger, reopened } = open();
    const charge = [chargeOf('m1', { count: 2 })];
    expect(await codeOf(ledger.charge('a', charge, 1))).toBe('new');
    expect(await codeOf(ledger.charge('b', charge, 2))).toBe('new');
    expect(await codeOf(ledger.charge('c', charge, 3))).toBe('MANDATE_COUNT_EXCEEDED');
    const later = reopened();
    expect(await codeOf(later.charge('c', charge, 4))).toBe('MANDATE_COUNT_EXCEEDED');
    expect(later.usage('').uses('m1', right, null)).toBe(2);
  });

  it('refuses the amount that would exceed the total, and what is no amount', async () => {
    const { ledger } = open();
    const of = (amount: number) => [chargeOf('m1', { totals: { amount: 25 } }, { amount })];
    expect(await codeOf(ledger.charge('a', of(20), 1))).toBe('new');
    for (const amount of [5.01, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(await codeOf(ledger.charge('b', of(amount), 2))).toBe('MANDATE_TOTAL_EXCEEDED');
    }
    const absent = [chargeOf('m1', { totals: { amount: 25 } })];
    expect(await codeOf(ledger.charge('b', absent, 2))).toBe('MANDATE_TOTAL_EXCEEDED');
    expect(await codeOf(ledger.charge('b', of(5), 2))).toBe('new');
  });

  it('refuses what comes faster than the rate, until the window has passed', async () => {
    const { ledger } = open();
    const charge = [chargeOf('m1', { rates: [{ count: 1, windowMs: 1000 }] })];
    expect(await codeOf(ledger.charge('a', charge, 5000))).toBe('new');
    expect(await codeOf(ledger.charge('b', charge, 6000))).toBe('MANDATE_RATE_EXCEEDED');
    expect(await codeOf(ledger.charge('b', charge, 6001))).toBe('new');
  });

  it('charges all the mandates of a chain or none of them', async () => {
    const { ledger } = open();
    await ledger.charge('a', [chargeOf('root', { count: 1 })], 1);
    const both = [chargeOf('child', { count: 5 }), chargeOf('root', { count: 1 })];
    expect(await codeOf(ledger.charge('b', both, 2))).toBe('MANDATE_COUNT_EXCEEDED');
    expect(ledger.usage('').uses('child', right, null)).toBe(0);
  });

  it('charges one key once, and does not count it against itself', async () => {
    const { ledger } = open();
    const charge = [chargeOf('m1', { count: 1, totals: { amount: 10 } }, { amount: 10 })];
    expect(await codeOf(ledger.charge('a', charge, 1))).toBe('new');
    expect(await codeOf(ledger.charge('a', charge, 2))).toBe('known');
    expect(ledger.usage('a').uses('m1', right, null)).toBe(0);
    expect(ledger.usage('b').total('m1', right, 'amount')).toBe(10);
  });

  it('gives back what a call that did nothing was charged', async () => {
    const { ledger } = open();
    const charge = [chargeOf('m1', { count: 1, totals: { amount: 10 } }, { amount: 10 })];
    await ledger.charge('a', charge, 1);
    await ledger.release('a');
    expect(await codeOf(ledger.charge('b', charge, 2))).toBe('new');
  });

  it('forgets what is older than it must remember', async () => {
    const { ledger } = open();
    const charge = [chargeOf('m1', { count: 1, totals: { amount: 10 } }, { amount: 10 })];
    await ledger.charge('a', charge, 1000);
    await ledger.prune(1000);
    expect(ledger.usage('').uses('m1', right, null)).toBe(1);
    await ledger.prune(1001);
    expect(ledger.usage('').uses('m1', right, null)).toBe(0);
    expect(ledger.usage('').total('m1', right, 'amount')).toBe(0);
  });

  it('is never exceeded, in whatever order and however many at once', async () => {
    const use = fc.record({
      key: fc.integer({ min: 0, max: 12 }),
      amount: fc.integer({ min: 0, max: 9 }),
      releases: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(use, { maxLength: 24 }), async (uses) => {
        const { ledger } = open();
        const held = new Map<number, number>();
        await Promise.all(uses.map(async ({ key, amount, releases }) => {
          const limits = { count: 4, totals: { amount: 20 } };
          const charged = await ledger.charge(`k${key}`, [chargeOf('m', limits, { amount })], 1);
          if (!charged.ok || !charged.isNew) return;
          held.set(key, amount);
          if (!releases) return;
          await ledger.release(`k${key}`);
          held.delete(key);
        }));
        const spent = [...held.values()].reduce((sum, amount) => sum + amount, 0);
        expect(held.size).toBeLessThanOrEqual(4);
        expect(spent).toBeLessThanOrEqual(20);
        expect(ledger.usage('').uses('m', right, null)).toBe(held.size);
        expect(ledger.usage('').total('m', right, 'amount')).toBe(spent);
      }),
      { numRuns: 40 },
    );
  });
}
