// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock-system.ts';

function fakeSources() {
  const at = { wall: 1_000_000, monotonic: 500 };
  const sources = { wallMs: () => at.wall, monotonicMs: () => at.monotonic };
  return { at, sources };
}

describe('the system clock', () => {
  it('never goes back, and goes on at the pace of the monotonic clock', () => {
    const { at, sources } = fakeSources();
    const clock = systemClock(sources);
    at.wall -= 3_600_000;
    expect(clock.nowMs()).toBe(1_000_000);
    at.monotonic += 250;
    expect(clock.nowMs()).toBe(1_000_250);
    expect(clock.jumpedMs()).toBe(-3_600_250);
  });

  it('follows a wall clock that was set forward, and says by how much', () => {
    const { at, sources } = fakeSources();
    const clock = systemClock(sources);
    at.wall += 60_000;
    at.monotonic += 1_000;
    expect(clock.nowMs()).toBe(1_060_000);
    expect(clock.jumpedMs()).toBe(59_000);
  });

  it('starts no earlier than the latest recorded time', () => {
    const { at, sources } = fakeSources();
    const clock = systemClock({ ...sources, floorMs: 2_000_000 });
    at.monotonic += 5;
    at.wall += 5;
    expect(clock.nowMs()).toBe(2_000_005);
  });

  it('is monotone whatever both clocks do', () => {
    const step = fc.tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.nat(1_000));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { at, sources } = fakeSources();
        const clock = systemClock(sources);
        let last = clock.nowMs();
        for (const [wall, monotonic] of steps) {
          at.wall += wall;
          at.monotonic += monotonic;
          const now = clock.nowMs();
          expect(now).toBeGreaterThanOrEqual(last + monotonic);
          last = now;
        }
      }),
    );
  });

  it('reads whole milliseconds of the real clocks', () => {
    const clock = systemClock();
    expect(Number.isInteger(clock.nowMs())).toBe(true);
    expect(Math.abs(clock.jumpedMs())).toBeLessThan(1_000);
  });
});
