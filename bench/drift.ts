// SPDX-License-Identifier: Apache-2.0
import { anchorMs } from '../src/anomaly/day-trends.ts';
import { Scorer } from '../src/anomaly/scorer.ts';
import { dayMs, live, liveTogether, type Traffic } from '../src/anomaly/simulated-days.ts';
import { machine, numberOption, print } from './machine.ts';

/**
 * Delay of detection against drift, a jump, and false transitions, for three random seeds. `10 % daily
 * variation` is a swing of 10 % between night and day; beside it stands the harder reading, where each
 * day differs from the last by 10 % by chance.
 */
const seeds = [1, 2, 3].map(() => Math.floor(Math.random() * 1e9));
const jumpAt = 40 * dayMs;

type Hit = {
  readonly raisedAt: number | null;
  readonly isolatedAt: number | null;
  readonly transitions: number;
  /** Times at which people were told for nothing; one ends when nothing was unusual for a week. */
  readonly raises: number;
};

function run(traffic: Traffic): Hit {
  let [raisedAt, isolatedAt]: (number | null)[] = [null, null];
  let transitions = 0;
  let over = false;
  let raises = 0;
  let calmSince = Number.NEGATIVE_INFINITY;
  live(traffic, new Scorer(() => 'ANALYST'), ({ score, at }) => {
    if (score >= 40) {
      raisedAt ??= at;
      if (at - calmSince > 7 * dayMs) raises += 1;
      calmSince = at;
    }
    if (score >= 60) isolatedAt ??= at;
    if (score >= 60 && !over) transitions += 1;
    over = score >= 60;
  });
  return { raisedAt: raisedAt ?? null, isolatedAt: isolatedAt ?? null, transitions, raises };
}

/** Days that are known before the drift of the last test begins. */
const learnedMs = 90 * dayMs;
const drifts = [0.0025, 0.005, 0.01, 0.02, 0.05];
const kinds = { swing: { dailyVariation: 0.1, dayNoise: 0 }, 'day to day': { dailyVariation: 0.1, dayNoise: 0.1 } };

const curve = Object.entries(kinds).flatMap(([kind, variation]) => drifts.map((weekly) => ({
  kind,
  weekly,
  runs: seeds.map((seed) => {
    const cost = (at: number): number => 1 + weekly * Math.max(0, (at - anchorMs) / (7 * dayMs));
    const { raisedAt } = run({ seed, days: 240, perBucket: 6, ...variation, cost });
    const days = raisedAt === null ? null : Math.round((raisedAt - anchorMs) / dayMs);
    return { days, drifted: raisedAt === null ? null : Math.round((cost(raisedAt) - 1) * 10_000) / 10_000 };
  }),
})));

/** 0.5 % a week where days differ by 10 % by chance: how many of many agents are raised before 6.5 %. */
const many = numberOption('agents', 20);
const raisedAt = Array.from({ length: many }, (_none, index) => {
  const cost = (at: number): number => 1 + 0.005 * Math.max(0, (at - learnedMs) / (7 * dayMs));
  const { raisedAt: at } = run({
    seed: (seeds[0] ?? 0) + index, days: learnedMs / dayMs + 91, perBucket: 2, ...kinds['day to day'], cost,
  });
  return at === null ? null : Math.round((cost(at) - 1) * 1e4) / 1e4;
});
const early = raisedAt.filter((drifted) => drifted === 0).length;
const inTime = raisedAt.filter((drifted) => drifted !== null && drifted > 0).length;
const within = { agents: many, raisedBefore65: inTime, raisedBeforeItBegan: early, share: inTime / many };

/**
 * The same drift in a role of ten agents: where the days that differ are everybody's (demand), one agent
 * drifts away from its peers; where each has days of its own, all ten drift together.
 */
const peers = 10;
const roles = ['one of ten, days in common', 'ten of ten, days of their own'].map((kind, which) => {
  const runs = seeds.map((seed) => {
    const drifted = (at: number): number => 1 + 0.005 * Math.max(0, (at - learnedMs) / (7 * dayMs));
    const names = Array.from({ length: peers }, (_none, index) => `agent${index}`);
    const fleet = new Map(names.map((name, index): [string, Traffic] => [name, {
      seed: seed + index, days: learnedMs / dayMs + 91, perBucket: 2, ...kinds['day to day'],
      ...(which === 0 ? { daySeed: seed } : {}), ...(which === 1 || index === 0 ? { cost: drifted } : {}),
    }]));
    const first = new Map<string, number>();
    let isolated = 0;
    liveTogether(fleet, new Scorer(() => 'ANALYST'), ({ agent, score, at }) => {
      if (score >= 40 && !first.has(agent)) first.set(agent, at);
      if (score >= 60) isolated += 1;
    });
    const shareAt = (at: number | undefined): number | null =>
      (at === undefined ? null : Math.round((drifted(at) - 1) * 1e4) / 1e4);
    const drifting = which === 0 ? names.slice(0, 1) : names;
    return {
      raisedAt: drifting.map((name) => shareAt(first.get(name))), isolated,
      othersRaised: names.filter((name) => !drifting.includes(name) && first.has(name)).length,
    };
  });
  return { kind, runs };
});

const jumps = seeds.map((seed) => {
  const volume = (at: number): number => (at >= jumpAt ? 1.4 : 1);
  const { isolatedAt } = run({ seed, days: 41, dailyVariation: 0.1, dayNoise: 0, perBucket: 300, volume });
  return isolatedAt === null ? null : Math.round((isolatedAt - jumpAt) / 60_000);
});

const weeks = 52;
const calm = seeds.flatMap((seed) => Object.entries(kinds).map(([kind, variation]) => {
  const { transitions, raises } = run({ seed, days: 28 + weeks * 7, perBucket: 6, ...variation });
  return { kind, seed, perAgentWeek: transitions / (weeks + 4), raisedPerAgentWeek: Math.round((raises / (weeks + 4)) * 1e4) / 1e4 };
}));

print({
  machine: machine(), seeds, curve, within, roles, jumpMinutes: jumps, falseTransitions: calm,
  holds: {
    slowDrift: curve.filter(({ kind, weekly }) => kind === 'swing' && weekly === 0.005)
      .every(({ runs }) => runs.every(({ drifted }) => drifted !== null && drifted < 0.065)),
    jump: jumps.every((minutes) => minutes !== null && minutes <= 15),
    falseTransitions: calm.every(({ perAgentWeek }) => perAgentWeek < 0.01),
  },
});
