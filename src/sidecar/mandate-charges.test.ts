// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { allot } from '../bounds/allot.ts';
import { MemoryLedgerStore } from '../bounds/ledger-memory.ts';
import type { Limits } from '../mandate/mandate.ts';
import { boundChargesOf } from './mandate-charges.ts';

const nowMs = 1_800_000_000_000;
const hourMs = 3_600_000;
const right = 'request payments pay_invoice';

async function codes(limits: Limits, uses: readonly (readonly [number, number])[]) {
  const store = new MemoryLedgerStore();
  const found: string[] = [];
  for (const [index, [atMs, amount]] of uses.entries()) {
    const used = { mandate: 'm1', right, totals: { amount }, limits };
    const charges = boundChargesOf([used], nowMs + atMs);
    const asking = {
      id: `a${index}`, executor: 'payments', holder: `r${index}`, charges, breakers: [], retry: null, validMs: 10_000,
      released: false,
    };
    const answer = await store.change((ledger) => allot(ledger, asking, nowMs + atMs));
    found.push(answer.outcome === 'granted' ? 'granted' : answer.code);
  }
  return found;
}

describe('what a mandate with limits is charged', () => {
  it('counts uses over all of its life', async () => {
    const limits = { count: 2, totals: {}, rates: [] };
    expect(await codes(limits, [[0, 1], [6 * 24 * hourMs, 1], [7 * 24 * hourMs, 1]]))
      .toEqual(['granted', 'granted', 'MANDATE_COUNT_EXCEEDED']);
  });

  it('sums amounts, and stands at its total', async () => {
    const limits = { count: null, totals: { amount: 100 }, rates: [] };
    expect(await codes(limits, [[0, 60], [1, 41], [2, 40], [3, 0.0001]]))
      .toEqual(['granted', 'MANDATE_TOTAL_EXCEEDED', 'granted', 'MANDATE_TOTAL_EXCEEDED']);
  });

  it('holds every rate', async () => {
    const limits = { count: null, totals: {}, rates: [{ count: 1, windowMs: hourMs }] };
    expect(await codes(limits, [[0, 1], [hourMs - 1, 1], [2 * hourMs, 1]]))
      .toEqual(['granted', 'MANDATE_RATE_EXCEEDED', 'granted']);
  });

  it('refuses an amount that is none', async () => {
    const limits = { count: null, totals: { amount: 100 }, rates: [] };
    expect(await codes(limits, [[0, Number.NaN], [0, Infinity], [0, -1]]))
      .toEqual(Array.from({ length: 3 }, () => 'BOUNDS_AMOUNT_INVALID'));
  });

  it('is shared by nobody who holds another mandate', () => {
    const of = (mandate: string) =>
      boundChargesOf([{ mandate, right, totals: {}, limits: { count: 1, totals: {}, rates: [] } }], nowMs);
    expect(of('m1')[0]?.key).not.toBe(of('m2')[0]?.key);
  });
});
