// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { doubtOf, twoReadings } from './two-readings.ts';

const nobody = (): number => {
  throw new Error('Nobody is to be asked.');
};

const from = (least: number) => ({ from: least, to: 100 });

describe('two readings', () => {
  it('are one where the model has no second reader', () => {
    expect(twoReadings([1, 3, 2], 0.5, null, nobody)).toEqual({ score: 2.5, at: 1, logit: null });
  });

  it('ask nobody about a text without doubt, which counts as harmless to the second', () => {
    const below = twoReadings([0, -1], 0, from(1), nobody);
    const harmless = twoReadings([1, -1], 0, from(1), () => -30);
    expect(below.at).toBe(0);
    expect(harmless.score - below.score).toBeCloseTo(1, 9);
  });

  it('ask about the worst window alone, and the sum decides', () => {
    const asked: number[] = [];
    const found = twoReadings([0, 5, 1, 4, 3, 5], 1, from(2), (place) => {
      asked.push(place);
      return 3;
    });
    expect(asked).toEqual([1]);
    expect(found).toMatchObject({ at: 1, logit: 3 });
    expect(found.score).toBeGreaterThan(4);
  });

  it('do not let a decoy that is worse at first sight hide another window', () => {
    const alone = twoReadings([4], 1, from(2), () => 0.5);
    const hidden = twoReadings([4, 4.5], 1, from(2), () => -3);
    expect(hidden).toMatchObject({ at: 0, logit: null });
    expect(hidden.score).toBeGreaterThan(twoReadings([4.5], 1, from(2), () => -3).score);
    expect(alone.score - hidden.score).toBeLessThan(1);
  });

  it('grow no surer than the second reader learned to be', () => {
    const by = (logit: number) => twoReadings([2], 0, from(1), () => logit).score;
    expect(by(300)).toBe(by(3));
    expect(by(-300)).toBe(by(-3));
    expect(by(1)).toBeGreaterThan(by(0));
  });

  it('ask nobody about what a second reading could not change', () => {
    const doubt = doubtOf(-2, 1, 3);
    expect(doubt.from).toBeCloseTo(1 - 1.2, 9);
    expect(doubtOf(0, 1, 3).from).toBe(0);
    expect(twoReadings([-0.3], 0, doubt, nobody).score).toBeLessThan(1);
    expect(twoReadings([doubt.to + 0.01], 0, doubt, nobody).score).toBeGreaterThan(3);
    expect(twoReadings([doubt.from], 0, doubt, () => 3).score).toBeCloseTo(1, 9);
    expect(twoReadings([doubt.to], 0, doubt, () => -3).score).toBeCloseTo(3, 9);
  });

  it('read a text without windows as none', () => {
    expect(twoReadings([], 0, from(1), nobody).score).toBe(-Infinity);
    expect(twoReadings([], 0, null, nobody).score).toBe(-Infinity);
  });
});
