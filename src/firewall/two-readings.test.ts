// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { secondWindowsMax, twoReadings } from './two-readings.ts';

const none = (): readonly number[] => {
  throw new Error('Nobody is to be asked.');
};

describe('two readings', () => {
  it('are one where the model has no second reader', () => {
    expect(twoReadings([1, 3, 2], 0.5, null, none)).toEqual({ score: 2.5, at: 1, logit: null });
  });

  it('ask nobody about a text without doubt, which counts as harmless to the second', () => {
    const below = twoReadings([0, -1], 0, 1, none);
    const harmless = twoReadings([1, -1], 0, 1, (places) => places.map(() => -30));
    expect(below.at).toBe(0);
    expect(harmless.score - below.score).toBeCloseTo(1, 9);
  });

  it('ask about the few worst windows, the worst first, and the sum decides', () => {
    const asked: (readonly number[])[] = [];
    const found = twoReadings([0, 5, 1, 4, 3, 4], 1, 2, (places) => {
      asked.push(places);
      return places.map((place) => (place === 3 ? 3 : -3));
    });
    expect(asked).toEqual([[1, 3, 5].slice(0, secondWindowsMax)]);
    expect(found).toMatchObject({ at: 3, logit: 3 });
    expect(found.score).toBeGreaterThan(4);
  });

  it('grow no surer than the second reader learned to be', () => {
    const by = (logit: number) => twoReadings([2], 0, 1, () => [logit]).score;
    expect(by(300)).toBe(by(3));
    expect(by(-300)).toBe(by(-3));
    expect(by(1)).toBeGreaterThan(by(0));
  });

  it('read a text without windows as none', () => {
    expect(twoReadings([], 0, 1, none).score).toBe(-Infinity);
    expect(twoReadings([], 0, null, none).score).toBe(-Infinity);
  });
});
