// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { Spend, type Charge, type SpendBudget } from './spend.ts';

const hourMs = 3_600_000;
const money = { moneyPerHour: 1e6, moneyPerTask: 1e6, callsPerHour: 1e6 };
let charges: Map<string, Charge>;
let nowMs: number;

beforeEach(() => {
  charges = new Map();
  nowMs = 100 * hourMs;
});

const store = {
  since: (atMs: number) => [...charges.values()].filter((charge) => charge.atMs > atMs),
  save: async (charge: Charge) => void charges.set(charge.id, charge),
  drop: async () => undefined,
};
const spendOf = (budget: Partial<SpendBudget>): Spend => new Spend({ ...money, ...budget }, store, { nowMs: () => nowMs });
const tokens = (count: number) => ({ micros: 0, tokens: count });

describe('a budget in tokens', () => {
  test('refuses a task whose most would go over it, and leaves other tasks alone', async () => {
    const spend = spendOf({ tokensPerTask: 1_000 });
    expect(await spend.reserve('a', 't', tokens(600))).toBe(true);
    expect(await spend.reserve('b', 't', tokens(401))).toBe(false);
    expect(await spend.reserve('c', 'u', tokens(401))).toBe(true);
  });

  test('counts what it really was, and survives a restart with it', async () => {
    const first = spendOf({ tokensPerTask: 1_000 });
    await first.reserve('a', 't', tokens(900));
    await first.settle('a', tokens(100));
    const later = spendOf({ tokensPerTask: 1_000 });
    expect(later.use('t').share).toBeCloseTo(0.1);
    expect(await later.reserve('b', 't', tokens(900))).toBe(true);
    expect(await later.reserve('c', 't', tokens(1))).toBe(false);
  });

  test('of an hour comes back after the hour, and its phase is that of the bound nearest to its end', async () => {
    const spend = spendOf({ tokensPerHour: 1_000, callsPerHour: 10 });
    await spend.reserve('a', 't', tokens(950));
    expect(spend.use('u').share).toBeCloseTo(0.95);
    expect(await spend.reserve('b', 'u', tokens(51))).toBe(false);
    nowMs += hourMs + 1;
    expect(spend.use('u').share).toBe(0);
    expect(await spend.reserve('b', 'u', tokens(51))).toBe(true);
  });

  test('is refused what is no number, and keeps what was reserved where the count of a provider is none', async () => {
    const spend = spendOf({ tokensPerTask: 1_000 });
    expect(await spend.reserve('a', 't', tokens(Number.NaN))).toBe(false);
    await spend.reserve('b', 't', tokens(700));
    await spend.settle('b', tokens(Number.NaN));
    await spend.settle('b', tokens(-5));
    expect(spend.use('t').share).toBeCloseTo(0.7);
  });

  test('of nothing bounds nothing', async () => {
    expect(await spendOf({ tokensPerHour: null }).reserve('a', 't', tokens(1e15))).toBe(true);
  });
});
