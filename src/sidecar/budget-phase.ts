// SPDX-License-Identifier: Apache-2.0

/**
 * What the use of a budget does to an agent's own model: from 90 % on its calls are spaced, from 95 % on its answers
 * are short as well, and at 100 % it is refused by the budget itself. No control is ever cut for money.
 */
export type BudgetPhase = 'free' | 'throttled' | 'degraded' | 'spent';

/** Between two calls of an agent that is throttled. */
export const throttledEveryMs = 10_000;
/** Of the tokens that an answer may have, once a budget is nearly spent. */
const degradedShare = 0.25;

/** NaN is no share that anybody may go on with. */
export function budgetPhase(share: number): BudgetPhase {
  if (share < 0.9) return 'free';
  if (share < 0.95) return 'throttled';
  return share < 1 ? 'degraded' : 'spent';
}

export function tokensIn(phase: BudgetPhase, most: number): number {
  return phase === 'degraded' ? Math.max(1, Math.floor(most * degradedShare)) : most;
}

/** True where a call has to wait for its turn; what is spent is refused elsewhere, with a code of its own. */
export function isTooSoon(phase: BudgetPhase, lastAtMs: number, nowMs: number): boolean {
  return (phase === 'throttled' || phase === 'degraded') && !(nowMs - lastAtMs >= throttledEveryMs);
}
