// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { waitForGridMs } from './refusal-grid.ts';

describe('a refusal on the grid', () => {
  it('waits for the next line, and a whole step when it took no time', () => {
    expect(waitForGridMs(0, 10)).toBe(10);
    expect(waitForGridMs(3, 10)).toBe(7);
    expect(waitForGridMs(10, 10)).toBe(0);
    expect(waitForGridMs(10.5, 10)).toBe(9.5);
    expect(waitForGridMs(3, 0)).toBe(0);
    // A clock that went back is no reason to answer at once.
    expect(waitForGridMs(-5, 10)).toBe(15);
  });

  it('always ends on a line, and never waits for more than one step', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (elapsed, grid) => {
      const wait = waitForGridMs(elapsed, grid);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(grid);
      const steps = (elapsed + wait) / grid;
      expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-6);
    }));
  });
});
