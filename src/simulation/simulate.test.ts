// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { makeStage } from '../cli/simulation-stage.ts';
import type { Guarantee } from './observed.ts';
import { simulate, type Stage } from './simulate.ts';
import { weaknesses, type Weakness } from './weaken.ts';

const first = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const seeds = Number(process.env['MASO_SIMULATED_SEEDS'] ?? 50);
const forMs = 8_000;

let stage: Stage;
beforeAll(async () => {
  stage = await makeStage();
});

/** What a guard that is broken on purpose has to cost. */
const costs: { readonly [weakness in Weakness]: Guarantee } = {
  dedupe: 'G1', schema: 'G1', bounds: 'G4', sources: 'G5', record: 'G6', lease: 'G7', log: 'G8', leak: 'G9', intents: 'G10',
};

describe(`simulated fleets, SEED=${first}`, () => {
  test(`${seeds} seeds of faults and hostile agents violate nothing`, async () => {
    const failed = [];
    let done = 0;
    for (let seed = first; seed < first + seeds; seed += 1) {
      const { violations, toolCalls, accepted } = await simulate(stage, { seed, forMs, weakness: null });
      if (violations.length > 0) failed.push({ seed, forMs, violations });
      done += accepted + toolCalls;
    }
    expect(failed).toEqual([]);
    // Faults may leave one fleet without anything to do, and not fifty.
    expect(done).toBeGreaterThan(seeds * 10);
  }, 300_000);

  test('the same seed is the same run, whatever ran before it', async () => {
    const told: string[] = [];
    const again: string[] = [];
    const seed = 7;
    await simulate(stage, { seed, forMs, weakness: null, told: (line) => void told.push(line) });
    await simulate(stage, { seed: 8, forMs: 1_000, weakness: null });
    await simulate(await makeStage(), { seed, forMs, weakness: null, told: (line) => void again.push(line) });
    expect(again).toEqual(told);
  }, 60_000);

  // A check that never fails proves nothing: seeds in which each broken guard is missed first.
  test.each(weaknesses)('without the guard "%s" its guarantee does not hold', async (weakness) => {
    const found = new Set<Guarantee>();
    for (let seed = 100; seed < 140 && !found.has(costs[weakness]); seed += 1) {
      const { violations } = await simulate(stage, { seed, forMs: 12_000, weakness });
      for (const { guarantee } of violations) found.add(guarantee);
    }
    expect([...found]).toContain(costs[weakness]);
  }, 120_000);
});
