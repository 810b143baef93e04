// SPDX-License-Identifier: Apache-2.0
import { amountMax, type Charge } from '../bounds/charge.ts';
import { mandateKeys } from '../bounds/bounds-of.ts';
import type { MandateCharge } from '../mandate/satisfies.ts';

/** Longer than any mandate lasts; what was used is remembered for as long. */
const mandateUsesKeptMs = 8 * 24 * 3_600_000;

/**
 * What one use of mandates with limits is charged, by the one owner of all sums: two executors that
 * serve one mandate share what it allows. Nobody is asked at half of a mandate: it is the delegator's
 * to spend.
 */
export function boundChargesOf(charges: readonly MandateCharge[], nowMs: number): readonly Charge[] {
  const untilMs = nowMs + mandateUsesKeptMs;
  return charges.flatMap(({ mandate, right, totals, limits }): readonly Charge[] => {
    const key = `${mandateKeys}${mandate}/${right}`;
    const uses = { key: `${key}/uses`, amount: 1, untilMs, escalateAt: null };
    const { count, rates } = limits;
    return [
      ...(count === null ? [] : [
        { ...uses, most: count, windowMs: null, code: 'MANDATE_COUNT_EXCEEDED' }]),
      ...rates.map((rate) => (
        { ...uses, most: rate.count, windowMs: rate.windowMs, code: 'MANDATE_RATE_EXCEEDED' })),
      ...Object.entries(limits.totals).map(([parameter, most]) => ({
        key: `${key}/total/${parameter}`,
        amount: totals[parameter] ?? Number.NaN,
        most: Math.min(most, amountMax),
        windowMs: null,
        untilMs,
        escalateAt: null,
        code: 'MANDATE_TOTAL_EXCEEDED',
      })),
    ];
  });
}
