// SPDX-License-Identifier: Apache-2.0
import type { MandateCode } from './codes.ts';
import type { MandateCharge, MandateUsage } from './satisfies.ts';

/** Longer than any mandate lasts; what was used is remembered for as long. */
export const mandateUsesKeptMs = 8 * 24 * 3_600_000;

export type Charged =
  /** `isNew`: nothing was charged to this key before, so whoever charged it may release it. */
  | { readonly ok: true; readonly isNew: boolean }
  /** The limit that one more use would exceed. */
  | { readonly ok: false; readonly code: MandateCode };

/**
 * Counts what was used under mandates that set limits. One owner counts for a mandate; two that
 * count apart would each allow all of it. Today that owner is the executor's sidecar.
 */
export interface MandateLedger {
  /**
   * What was used so far, without what `exceptKey` was charged: a request that comes again must not
   * be refused for what it used itself.
   */
  usage(exceptKey: string): MandateUsage;
  /**
   * Charges one use to every one of the mandates, or to none. Resolves once it is durable; a key
   * that was charged before is not charged again for the same mandate. Rejects when it could not
   * be made durable; then nothing was charged.
   */
  charge(key: string, charges: readonly MandateCharge[], nowMs: number): Promise<Charged>;
  /** Gives back what a key was charged: its call certainly did nothing. */
  release(key: string): Promise<void>;
  /** Forgets what was used before this moment. */
  prune(beforeMs: number): Promise<void>;
}

/** The limit that one more use would exceed, or null when there is room. Doubt is no room. */
export function chargeRefusal(
  { mandate, right, totals, limits }: MandateCharge,
  usage: MandateUsage,
  nowMs: number,
): MandateCode | null {
  const uses = (sinceMs: number | null): number => usage.uses(mandate, right, sinceMs) + 1;
  if (limits.count !== null && !(uses(null) <= limits.count)) return 'MANDATE_COUNT_EXCEEDED';
  for (const { count, windowMs } of limits.rates) {
    if (!(uses(nowMs - windowMs) <= count)) return 'MANDATE_RATE_EXCEEDED';
  }
  for (const [parameter, most] of Object.entries(limits.totals)) {
    const added = totals[parameter] ?? Number.NaN;
    if (!(usage.total(mandate, right, parameter) + added <= most)) return 'MANDATE_TOTAL_EXCEEDED';
  }
  return null;
}
