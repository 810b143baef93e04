// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { seeded } from './simulated-days.ts';
import { numbersPerDrift, SlowDrift, toldFrom, type Bad, type Drift } from './slow-drift.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));

type Found = { readonly day: number; readonly drift: Drift };

/** Days from the first on; null is a day that was not seen. */
function told(days: number, meanOf: (day: number) => number | null, bad: Bad = 'more', first = 20_000): readonly Found[] {
  const block = new Float64Array(numbersPerDrift + 2);
  const slow = new SlowDrift(block, 1, bad);
  const found: Found[] = [];
  for (let day = 0; day < days; day += 1) {
    const mean = meanOf(day);
    const drift = mean === null ? null : slow.close(first + day, mean);
    if (drift !== null) found.push({ day, drift });
  }
  expect([block[0], block.at(-1)], 'writes within its block').toEqual([0, 0]);
  expect(block.every(Number.isFinite)).toBe(true);
  return found;
}

const rises = (weekly: number, from: number) => (day: number): number => 1 + (weekly / 7) * Math.max(0, day - from);
function chance(next: () => number, spread: number): number {
  return spread * Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
}

describe(`slow drift, SEED=${seed}`, () => {
  test('is told within weeks where days are alike, with how far it has come', () => {
    const [first, ...others] = told(140, rises(0.005, 90));
    expect(first?.day).toBeGreaterThan(90);
    expect(first?.day).toBeLessThan(90 + 28);
    expect(first?.drift.times).toBeGreaterThanOrEqual(toldFrom);
    expect(first?.drift.change).toBeGreaterThan(0.005);
    expect(first?.drift.change).toBeLessThan(0.03);
    expect(others).toEqual([]);
  });

  test('is told again after 13 weeks while it stands', () => {
    const found = told(90 + 26 * 7, rises(0.005, 90));
    expect(found).toHaveLength(2);
    expect((found[1]?.day ?? 0) - (found[0]?.day ?? 0)).toBe(91);
  });

  test('that has come to little is none yet, however sure it is', () => {
    expect(told(400, (day) => Math.min(1.004, rises(0.002, 90)(day)))).toEqual([]);
    const [first] = told(400, rises(0.0015, 90));
    expect(Math.abs(first?.drift.change ?? 0)).toBeGreaterThanOrEqual(0.01);
  });

  test('the good way is none', () => {
    expect(told(300, rises(-0.005, 90))).toEqual([]);
    expect(told(300, rises(0.005, 90), 'less')).toEqual([]);
    const [first] = told(300, rises(-0.005, 90), 'less');
    expect(first?.drift.z).toBeLessThan(0);
    expect(first?.drift.change).toBeLessThan(0);
  });

  test('is told of nine in ten in time where days differ by a tenth by chance, and of chance alone seldom', () => {
    const next = seeded(seed);
    const agents = 300;
    const drift = rises(0.005, 182);
    let inTime = 0;
    let wrong = 0;
    for (let agent = 0; agent < agents; agent += 1) {
      if (told(182 + 91, (day) => drift(day) + chance(next, 0.1)).some(({ day }) => day > 182)) inTime += 1;
      wrong += told(364, () => 1 + chance(next, 0.1)).length;
    }
    // 0.97 and 1.1 a year are usual; these bounds are five spreads away.
    expect(inTime / agents).toBeGreaterThan(0.92);
    expect(wrong / agents).toBeLessThan(1.5);
  });

  test('where each day leans on the day before, chance is not told without end', () => {
    const next = seeded(seed);
    let wrong = 0;
    for (let agent = 0; agent < 200; agent += 1) {
      let today = 0;
      wrong += told(364, () => {
        today = 0.6 * today + 0.8 * chance(next, 0.1);
        return 1 + today;
      }).length;
    }
    expect(wrong / 200).toBeLessThan(2.4);
  });

  test('weekends that cost half as much are no drift, and neither are days on which nothing was done', () => {
    expect(told(300, (day) => (day % 7 >= 5 ? 0.5 : 1))).toEqual([]);
    expect(told(300, (day) => (day % 7 >= 5 ? null : 1 + 0.01 * (day % 3)))).toEqual([]);
    const [first] = told(300, (day) => (day % 7 >= 5 ? null : rises(0.005, 90)(day)));
    expect(first?.day).toBeLessThan(90 + 35);
  });

  test('a month without work is left out, and a year of it forgets', () => {
    const away = (days: number) => (day: number): number | null =>
      (day >= 100 && day < 100 + days ? null : rises(0.005, 60)(day) * (day < 100 + days ? 1 : 2));
    expect(told(100 + 28 + 40, away(28)).length).toBeGreaterThan(0);
    const after = told(100 + 400 + 28, away(400)).filter(({ day }) => day > 100);
    expect(after).toEqual([]);
  });

  test('weeks of one or two days say nothing', () => {
    expect(told(400, (day) => (day % 7 < 2 ? rises(0.05, 90)(day) : null))).toEqual([]);
  });

  test('nothing that is measured as zero, and no first weeks, make a drift', () => {
    expect(told(300, () => 0)).toEqual([]);
    expect(told(300, () => 0, 'less')).toEqual([]);
    expect(told(7 * 5, rises(0.1, 0))).toEqual([]);
  });

  test('goes on from its block where it was kept', () => {
    const meanOf = rises(0.005, 90);
    const block = new Float64Array(numbersPerDrift);
    const days: number[] = [];
    for (let day = 0; day < 140; day += 1) {
      const restored = Float64Array.from(block);
      if (new SlowDrift(restored, 0, 'more').close(20_000 + day, meanOf(day)) !== null) days.push(day);
      block.set(restored);
    }
    expect(days).toEqual(told(140, meanOf).map(({ day }) => day));
    expect(new SlowDrift(block, 0, 'more').standing?.times).toBeGreaterThan(toldFrom);
  });
});
