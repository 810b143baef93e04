// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { Asking } from './allot.ts';
import type { AllotmentAsk } from './ask.ts';

/** What an ask of a judge's share names as its operation; no tool has this name. */
export const judgeOperation = 'judge';
/** The amount of such an ask, in the mesh's unit of money. */
export const judgeMoney = 'money';
/** How long a share may be used. */
export const judgeShareMs = 600_000;

const hourMs = 3_600_000;

/**
 * A share of what all judges of the mesh may spend in an hour, for the sidecar that asks; null where
 * the mesh file has no such budget or the ask is no sidecar's own. Calls are those of the ask.
 */
export function judgeAskingOf(executor: string, ask: AllotmentAsk, mesh: Mesh): Asking | null {
  const budget = mesh.judge?.meshBudget ?? null;
  const { requester, action, calls, amounts, charges, holder } = ask;
  const money = Object.hasOwn(amounts, judgeMoney) ? (amounts[judgeMoney] ?? Number.NaN) : Number.NaN;
  const isOwn = requester === executor && action === null && charges.length === 0;
  if (budget === null || !isOwn || !(Number.isInteger(calls) && calls >= 1)) return null;
  const charge = (key: string, amount: number, most: number) => ({
    key, amount, most, windowMs: hourMs, untilMs: 0, escalateAt: null, code: 'BOUNDS_JUDGE_SPENT',
  });
  return {
    id: `judge ${executor} ${holder}`,
    executor,
    holder,
    charges: [charge('judge/money', money, budget.moneyPerHour), charge('judge/calls', calls, budget.callsPerHour)],
    breakers: [],
    retry: null,
    validMs: judgeShareMs,
    released: false,
  };
}
