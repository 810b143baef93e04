// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { steadyClock } from './clock-steady.ts';

test('follows the monotonic clock from where it started, and never back', () => {
  let monotonicMs = 500;
  const clock = steadyClock(1_000, () => monotonicMs);
  expect(clock.nowMs()).toBe(1_000);
  monotonicMs = 750.9;
  expect(clock.nowMs()).toBe(1_250);
  monotonicMs = 0;
  expect(clock.nowMs()).toBe(1_000);
});
