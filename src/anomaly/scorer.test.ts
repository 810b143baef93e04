// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { anchorMs } from './baseline.ts';
import type { Score } from './combine.ts';
import { bucketMs, bytesPerAgent, Scorer } from './scorer.ts';
import { observed, signals, weights } from './signal.ts';
import { dayMs, live, liveTogether, seeded, type Traffic } from './simulated-days.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const usual = { seed, days: 45, dailyVariation: 0.1, dayNoise: 0, perBucket: 6 };
const jumpAt = 40 * dayMs;

function first(traffic: Traffic, atLeast: number): Score | null {
  let found: Score | null = null;
  live(traffic, new Scorer(() => 'ANALYST'), (score) => {
    if (found === null && score.score >= atLeast) found = score;
  });
  return found;
}

describe(`scores over simulated weeks, SEED=${seed}`, () => {
  test('weights add up to one, whatever they add up to in the framework', () => {
    expect(signals.reduce((sum, signal) => sum + weights[signal], 0)).toBeCloseTo(1, 12);
  });

  test('an ordinary agent stays below 40', () => {
    let most = 0;
    live(usual, new Scorer(() => 'ANALYST'), ({ score }) => {
      most = Math.max(most, score);
    });
    expect(most).toBeLessThan(40);
  });

  test('a jump of 40 % in volume isolates within 15 minutes, and says why', () => {
    const traffic = { ...usual, perBucket: 300, days: 41, volume: (at: number) => (at >= jumpAt ? 1.4 : 1) };
    const found = first(traffic, 60);
    expect(found?.reasons[0]).toMatchObject({ signal: 'message-volume' });
    expect((found?.at ?? 0) - jumpAt).toBeGreaterThan(0);
    expect((found?.at ?? Infinity) - jumpAt).toBeLessThanOrEqual(15 * 60_000);
  }, 120_000);

  test('slow drift is told before it adds up, once, and moves no score', () => {
    const cost = (at: number): number => 1 + 0.005 * Math.max(0, (at - 2 * anchorMs) / (7 * dayMs));
    const told: Score[] = [];
    live({ ...usual, days: 100, cost }, new Scorer(() => 'ANALYST'), (score) => {
      if (score.drifts.length > 0) told.push(score);
    });
    expect(told.flatMap(({ drifts }) => drifts.map(({ signal, against }) => [signal, against])))
      .toEqual([['cost-trajectory', 'its own weeks']]);
    expect(cost(told[0]?.at ?? Infinity)).toBeLessThan(1.03);
    expect(told[0]?.score).toBeLessThan(40);
  }, 120_000);

  test('an agent that drifts away from peers with the same days is told of for it', () => {
    const cost = (at: number): number => 1 + 0.005 * Math.max(0, (at - 3 * anchorMs) / (7 * dayMs));
    const names = ['a', 'b', 'c', 'd', 'e'];
    const fleet = new Map(names.map((name, index) => [name, {
      seed: seed + index, days: 150, perBucket: 1, dailyVariation: 0.1, dayNoise: 0.1, daySeed: seed, ...(index === 2 ? { cost } : {}),
    }]));
    const told: [string, number][] = [];
    liveTogether(fleet, new Scorer(() => 'ANALYST'), ({ agent, at, drifts }) => {
      if (drifts.some(({ against }) => against === 'its peers, over weeks')) told.push([agent, at]);
    });
    const first = told.find(([agent, at]) => agent === 'c' && at > 3 * anchorMs);
    expect(cost(first?.[1] ?? Infinity)).toBeLessThan(1.04);
  }, 120_000);

  test('nothing is unusual before two weeks were watched', () => {
    expect(first({ ...usual, days: 13, volume: (at) => (at > 10 * dayMs ? 9 : 1) }, 1)).toBeNull();
  });

  test.each([1, 12, 36])('what an agent begins to do late is learned from then on, one step in %s times five minutes', (every) => {
    const scorer = new Scorer(() => 'ANALYST');
    const next = seeded(seed);
    let most = 0;
    for (let at = 0; at < 160 * dayMs; at += every * bucketMs) {
      const late = at > 40 * dayMs ? { latencyMs: 100 + 20 * next(), cost: 1 + 0.2 * next(), contentDistance: 0.3 + 0.02 * next() } : {};
      for (const { score } of scorer.take(observed('a', at, { tool: 'read', ...late }))) most = Math.max(most, score);
    }
    expect(most).toBeLessThan(40);
  });

  test('a jump of what began late is found once it was watched for two weeks', () => {
    const scorer = new Scorer(() => 'ANALYST');
    const jumpAt = 70 * dayMs;
    let most = 0;
    for (let at = 0; at < jumpAt + 6 * bucketMs; at += bucketMs) {
      const latencyMs = at < 40 * dayMs ? null : at < jumpAt ? 100 + (at % 7) : 900;
      for (const { score } of scorer.take(observed('a', at, { tool: 'read', latencyMs }))) most = Math.max(most, score);
    }
    expect(most).toBeGreaterThanOrEqual(60);
  });

  test('a context that is filled more than usual is a doubt of its own', () => {
    const scores = [0.3, 0.84, 0.96].map((contextFill) => {
      const scorer = new Scorer(() => 'ANALYST');
      let last = 0;
      for (let at = 0; at < 15 * dayMs; at += bucketMs) {
        last = scorer.take(observed('agent', at, { contextFill: at > 14.5 * dayMs ? contextFill : 0.3 })).at(-1)?.score ?? last;
      }
      return last;
    });
    expect(scores[0]).toBeLessThan(40);
    expect(scores[1]).toBeLessThan(60);
    expect(scores[2]).toBeGreaterThanOrEqual(60);
  });

  test('an agent that was silent is told of, and isolated for nothing', () => {
    const scorer = new Scorer(() => 'ANALYST');
    let most = 0;
    for (let at = 0; at < 20 * dayMs; at += bucketMs) {
      if (at > 17 * dayMs && at < 17.1 * dayMs) continue;
      for (let index = 0; index < 60; index += 1) {
        for (const { score } of scorer.take(observed('a', at + index, { tool: 'read' }))) most = Math.max(most, score);
      }
    }
    expect(most).toBeGreaterThanOrEqual(40);
    expect(most).toBeLessThan(60);
  });

  /** As many things in five minutes for twenty days, but for two hours and a half; then `after` of them for an hour. */
  const aroundSilence = (stood: boolean, usually: number, after: number): readonly number[] => {
    const scorer = new Scorer(() => 'ANALYST');
    const backAt = 20.1 * dayMs;
    const scores: number[] = [];
    const next = seeded(seed);
    const about = (count: number): number => Math.round(count + (next() - 0.5) * 3 * Math.sqrt(count));
    for (let at = 0; at < backAt + 12 * bucketMs; at += bucketMs) {
      if (at >= 20 * dayMs && at < backAt) continue;
      if (stood && at >= backAt && at < backAt + bucketMs) scorer.stoodStill((agent) => agent === 'a', at);
      for (let left = about(at >= backAt ? after : usually), index = 0; index < left; index += 1) {
        for (const one of scorer.take(observed('a', at + index, { tool: 'read' }))) if (one.at > 20 * dayMs) scores.push(one.score);
      }
    }
    return scores;
  };

  test('time in which it could not act is neither scored nor learned from', () => {
    expect(Math.max(...aroundSilence(false, 60, 60))).toBeGreaterThanOrEqual(40);
    expect(Math.max(...aroundSilence(true, 60, 60))).toBeLessThan(40);
  });

  test.each([true, false])('a flood after a silence is one with its first whole bucket, whoever made it silent (stopped: %s)', (stood) => {
    const scores = aroundSilence(stood, 300, 475);
    expect(scores[stood ? 0 : 12]).toBeGreaterThanOrEqual(60);
  });

  test('an agent that differs from its peers is told apart', () => {
    const scorer = new Scorer(() => 'ANALYST');
    const names = ['a', 'b', 'c', 'd'];
    const scores = new Map<string, Score>();
    for (let at = 0; at < 16 * dayMs; at += bucketMs) {
      for (const name of names) {
        const odd = name === 'd' && at > 15 * dayMs;
        for (let index = 0; index < 5; index += 1) {
          const given = { tool: 'read', failed: odd, latencyMs: odd ? 900 : 100, quality: odd ? 0.2 : 0.9 };
          for (const score of scorer.take(observed(name, at + index, given))) scores.set(name, score);
        }
      }
    }
    expect(scores.get('d')?.score).toBeGreaterThan(80);
    expect(scores.get('d')?.reasons.map(({ signal }) => signal)).toContain('peer-deviation');
    expect(scores.get('a')?.score).toBeLessThan(40);
  });

  test('an agent takes the same memory however long it is followed', () => {
    expect(bytesPerAgent).toBeLessThan(9_000);
  });
});
