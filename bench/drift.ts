// SPDX-License-Identifier: Apache-2.0
import { anchorMs } from '../src/anomaly/baseline.ts';
import { Scorer } from '../src/anomaly/scorer.ts';
import { dayMs, live, liveTogether, type Traffic } from '../src/anomaly/simulated-days.ts';
import { machine, numberOption, print } from './machine.ts';

/**
 * Delay of detection against drift, a jump, false warnings and false transitions, for three random seeds. `10 % daily
 * variation` is a swing of 10 % between night and day; beside it stands the harder reading, where each
 * day differs from the last by 10 % by chance. A drift is found when people are warned of it
 * (`ANOMALY_DRIFT`); a transition is a score that isolates.
 */
const seeds = [1, 2, 3].map(() => Math.floor(Math.random() * 1e9));
const jumpAt = 40 * dayMs;
const weekMs = 7 * dayMs;
const limit = 0.065;

type Hit = {
  /** Times at which people were warned of a drift. */
  readonly warnedAt: readonly number[];
  /** Times at which a score was 40 and more after a week in which none was. */
  readonly raises: number;
  readonly isolatedAt: number | null;
  readonly transitions: number;
};

function run(traffic: Traffic): Hit {
  const warnedAt: number[] = [];
  const isolatedAt: number[] = [];
  let over = false;
  let raises = 0;
  let calmSince = Number.NEGATIVE_INFINITY;
  live(traffic, new Scorer(() => 'ANALYST'), ({ score, at, drifts }) => {
    if (drifts.length > 0) warnedAt.push(at);
    if (score >= 40) {
      if (at - calmSince > weekMs) raises += 1;
      calmSince = at;
    }
    if (score >= 60 && !over) isolatedAt.push(at);
    over = score >= 60;
  });
  return { warnedAt, raises, isolatedAt: isolatedAt[0] ?? null, transitions: isolatedAt.length };
}

/** Cost that rises by a share of what it was before, every week from a time on. */
function rising(weekly: number, from: number): (at: number) => number {
  return (at) => 1 + weekly * Math.max(0, (at - from) / weekMs);
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** Days that are known before the drift begins: the longest baseline, but for `within`. */
const learnedMs = 90 * dayMs;
const drifts = [0.0025, 0.005, 0.01, 0.02, 0.05];
const kinds = { swing: { dailyVariation: 0.1, dayNoise: 0 }, 'day to day': { dailyVariation: 0.1, dayNoise: 0.1 } };

const curve = Object.entries(kinds).flatMap(([kind, variation]) => drifts.map((weekly) => ({
  kind,
  weekly,
  runs: seeds.map((seed) => {
    const cost = rising(weekly, learnedMs);
    const at = run({ seed, days: learnedMs / dayMs + 212, perBucket: 6, ...variation, cost }).warnedAt.find((one) => one > learnedMs);
    if (at === undefined) return { days: null, drifted: null };
    return { days: Math.round((at - learnedMs) / dayMs), drifted: rounded(cost(at) - 1) };
  }),
})));

/**
 * 0.5 % a week where days differ by 10 % by chance: how many of many agents people are warned of after it began and before
 * 6.5 %, by how long they were known before; and what it had come to in the middle one of these.
 */
const many = numberOption('agents', 200);
const within = [anchorMs, learnedMs, 365 * dayMs].map((from) => {
  const cost = rising(0.005, from);
  const found = Array.from({ length: many }, (_none, index) => run({
    seed: (seeds[0] ?? 0) + index, days: from / dayMs + 92, perBucket: 1, ...kinds['day to day'], cost,
  }));
  const come = found.flatMap(({ warnedAt }) => {
    const at = warnedAt.find((one) => one > from);
    return at === undefined || cost(at) - 1 >= limit ? [] : [cost(at) - 1];
  }).sort((a, b) => a - b);
  return {
    knownDays: from / dayMs, agents: many, inTime: come.length, share: rounded(come.length / many),
    middle: rounded(come[Math.floor(come.length / 2)] ?? Number.NaN),
    isolated: found.filter(({ transitions }) => transitions > 0).length,
  };
});

/**
 * The same drift in a role of ten agents: where the days that differ are everybody's (demand), one agent
 * drifts away from its peers; where each has days of its own, all ten drift together.
 */
const peers = 10;
const roles = ['one of ten, days in common', 'ten of ten, days of their own'].map((kind, which) => {
  const runs = seeds.map((seed) => {
    const drifted = rising(0.005, learnedMs);
    const names = Array.from({ length: peers }, (_none, index) => `agent${index}`);
    const fleet = new Map(names.map((name, index): [string, Traffic] => [name, {
      seed: seed + index, days: learnedMs / dayMs + 91, perBucket: 2, ...kinds['day to day'],
      ...(which === 0 ? { daySeed: seed } : {}), ...(which === 1 || index === 0 ? { cost: drifted } : {}),
    }]));
    const warned: { readonly agent: string; readonly at: number; readonly against: string }[] = [];
    let isolated = 0;
    liveTogether(fleet, new Scorer(() => 'ANALYST'), ({ agent, score, at, drifts: told }) => {
      warned.push(...told.map(({ against }) => ({ agent, at, against })));
      if (score >= 60) isolated += 1;
    });
    const isTrue = ({ agent, against }: (typeof warned)[number]): boolean =>
      which === 1 || (agent === names[0] && against.includes('peers'));
    const [first] = warned.filter((one) => one.at > learnedMs && isTrue(one));
    const wrong = warned.filter((one) => one.at <= learnedMs || !isTrue(one));
    return {
      warnedAt: first === undefined ? null : rounded(drifted(first.at) - 1), against: first?.against ?? null, isolated,
      falsePerAgentWeek: rounded(wrong.length / ((which === 1 ? learnedMs : learnedMs + 91 * dayMs) / weekMs) / peers),
    };
  });
  return { kind, runs };
});

const jumps = seeds.map((seed) => {
  const volume = (at: number): number => (at >= jumpAt ? 1.4 : 1);
  const { isolatedAt } = run({ seed, days: 41, dailyVariation: 0.1, dayNoise: 0, perBucket: 300, volume });
  return isolatedAt === null ? null : Math.round((isolatedAt - jumpAt) / 60_000);
});

/** Normal agents for a year and four weeks: a third of the agents for each seed and kind of day. */
const weeks = 56;
const calm = seeds.flatMap((seed) => Object.entries(kinds).map(([kind, variation]) => {
  const agents = Math.ceil(many / seeds.length);
  const found = Array.from({ length: agents }, (_none, index) =>
    run({ seed: seed + 1_000 + index, days: weeks * 7, perBucket: 1, ...variation }));
  const perAgentWeek = (of: (hit: Hit) => number): number => rounded(found.reduce((sum, hit) => sum + of(hit), 0) / (agents * weeks));
  return {
    kind, seed, agents, transitions: perAgentWeek((hit) => hit.transitions), warnings: perAgentWeek((hit) => hit.warnedAt.length),
    raises: perAgentWeek((hit) => hit.raises),
  };
}));

print({
  machine: machine(), seeds, curve, within, roles, jumpMinutes: jumps, calm,
  holds: {
    slowDrift: curve.filter(({ kind, weekly }) => kind === 'swing' && weekly === 0.005)
      .every(({ runs }) => runs.every(({ drifted }) => drifted !== null && drifted < limit)),
    slowDriftAmongChance: within.filter(({ knownDays }) => knownDays >= 90).every(({ share }) => share >= 0.9),
    jump: jumps.every((minutes) => minutes !== null && minutes <= 15),
    falseTransitions: calm.every(({ transitions }) => transitions < 0.01),
    falseWarnings: calm.every(({ warnings }) => warnings <= 1 / 26),
  },
});
