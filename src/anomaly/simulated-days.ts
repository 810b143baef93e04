// SPDX-License-Identifier: Apache-2.0
import type { Score } from './combine.ts';
import { bucketMs, type Scorer } from './scorer.ts';
import { observed } from './signal.ts';

export const dayMs = 86_400_000;

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
}

export type Traffic = {
  readonly seed: number;
  readonly days: number;
  /** How cost and volume swing between night and day. */
  readonly dailyVariation: number;
  /** How cost differs from one day to the next, by chance. */
  readonly dayNoise: number;
  /** Agents with the same one have the same days, as demand makes them; absent: days of its own. */
  readonly daySeed?: number;
  /** Factor of cost, volume and share of failures at a time; 1 is as usual. */
  readonly cost?: (at: number) => number;
  readonly volume?: (at: number) => number;
  readonly failures?: (at: number) => number;
  /** Observations in five minutes. */
  readonly perBucket?: number;
};

type Seen = (score: Score) => void;

/** One agent's days, handed to a scorer; `seen` hears of every score. */
export function live(traffic: Traffic, scorer: Scorer, seen: Seen, agent = 'agent'): void {
  for (const _day of lived(traffic, scorer, seen, agent)) continue;
}

/** The same of several agents, a day of each in turn. */
export function liveTogether(fleet: ReadonlyMap<string, Traffic>, scorer: Scorer, seen: Seen): void {
  const lives = [...fleet].map(([agent, traffic]) => lived(traffic, scorer, seen, agent));
  for (let going = lives.length; going > 0;) {
    going = 0;
    for (const life of lives) if (life.next().done !== true) going += 1;
  }
}

function* lived(traffic: Traffic, scorer: Scorer, seen: Seen, agent: string): Generator<number> {
  const { seed, days, dailyVariation, dayNoise, daySeed, perBucket = 20 } = traffic;
  const { cost = () => 1, volume = () => 1, failures = () => 1 } = traffic;
  const next = seeded(seed);
  const nextDay = daySeed === undefined ? next : seeded(daySeed);
  let today = 1;
  for (let at = 0; at < days * dayMs; at += bucketMs) {
    if (at % dayMs === 0) {
      if (at > 0) yield at;
      today = 1 + normal(nextDay) * dayNoise;
    }
    const swing = 1 + dailyVariation * Math.sin((2 * Math.PI * (at % dayMs)) / dayMs);
    const expected = perBucket * swing * volume(at);
    const count = Math.max(0, Math.round(expected + normal(next) * Math.sqrt(expected)));
    for (let index = 0; index < count; index += 1) {
      const scores = scorer.take(observed(agent, at + Math.floor((index * bucketMs) / count), {
        tool: next() < 0.7 ? 'search' : 'read',
        failed: next() < 0.02 * failures(at),
        quality: 0.9 + normal(next) * 0.03,
        latencyMs: 100 * (1 + 0.1 * normal(next)),
        cost: cost(at) * swing * today * (1 + 0.1 * normal(next)),
        contentDistance: 0.3 + 0.05 * normal(next),
      }));
      for (const score of scores) seen(score);
    }
  }
}
