// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { budgetPhase, isTooSoon, throttledEveryMs, tokensIn } from './budget-phase.ts';

test('spaces calls from 90 % on, shortens answers from 95 % on, and takes no number for spent', () => {
  expect([0, 0.89, 0.9, 0.94, 0.95, 0.99, 1, 2, Number.NaN].map(budgetPhase)).toEqual([
    'free', 'free', 'throttled', 'throttled', 'degraded', 'degraded', 'spent', 'spent', 'spent',
  ]);
  expect([tokensIn('free', 4096), tokensIn('throttled', 4096), tokensIn('degraded', 4096), tokensIn('degraded', 2)])
    .toEqual([4096, 4096, 1024, 1]);
  expect(isTooSoon('throttled', 1_000, 1_000 + throttledEveryMs - 1)).toBe(true);
  expect(isTooSoon('degraded', 1_000, 1_000 + throttledEveryMs)).toBe(false);
  expect(isTooSoon('degraded', Number.NaN, 1_000)).toBe(true);
  expect(isTooSoon('free', 1_000, 1_000)).toBe(false);
});
