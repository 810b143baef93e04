// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';
import { channels } from '../../message/channel.ts';
import type { Calibration } from '../compact-model.ts';
import { benignShares, rarityOf } from '../compact-model.ts';

/** The score that a model gave to a text it did not learn from. */
export type HeldScore = { readonly score: number; readonly channel: Channel; readonly isAttack: boolean };

type Weighed = HeldScore & { readonly weight: number };

/** A channel with fewer harmless texts than this borrows from all channels together. */
const textsMin = 100;

/**
 * Turns scores into probabilities: per channel, the scores that a share of harmless texts exceeds;
 * over all channels, the logistic curve from that rarity to being an attack, both labels weighing
 * the same. Of several sets of scores each weighs the same in every channel. All must be of texts
 * that the model did not learn from.
 */
export function calibrate(sets: readonly (readonly HeldScore[])[]): Calibration {
  const scores = sets.flatMap(weighed);
  const harmless = scores.filter(({ isAttack }) => !isAttack);
  const all = knotsOf(harmless);
  const knots = Object.fromEntries(
    channels.map((channel) => {
      const own = harmless.filter((each) => each.channel === channel);
      return [channel, own.length < textsMin ? all : knotsOf(own)];
    }),
  ) as Calibration['knots'];
  return { knots, ...logisticOf(scores, knots) };
}

function weighed(scores: readonly HeldScore[]): readonly Weighed[] {
  const counts = new Map<string, number>();
  const keyOf = ({ channel, isAttack }: HeldScore) => `${channel} ${isAttack}`;
  for (const score of scores) counts.set(keyOf(score), (counts.get(keyOf(score)) ?? 0) + 1);
  return scores.map((score) => ({ ...score, weight: 1 / (counts.get(keyOf(score)) ?? 1) }));
}

/** Scores that the shares exceed; strictly ascending, so that a rarity is always defined. */
function knotsOf(scores: readonly Weighed[]): readonly number[] {
  const falling = scores.filter(({ score }) => Number.isFinite(score)).sort((a, b) => b.score - a.score);
  const total = falling.reduce((sum, { weight }) => sum + weight, 0);
  let least = -Infinity;
  return benignShares.map((share) => {
    const knot = Math.max(scoreAbove(falling, share * total), least + 1e-3);
    least = knot;
    return Number(knot.toFixed(4));
  });
}

function scoreAbove(falling: readonly Weighed[], weight: number): number {
  let above = 0;
  for (const each of falling) {
    above += each.weight;
    if (above > weight) return each.score;
  }
  return falling.at(-1)?.score ?? 0;
}

function logisticOf(
  scores: readonly Weighed[],
  knots: Calibration['knots'],
): { readonly slope: number; readonly offset: number } {
  const total = (isAttack: boolean) =>
    scores.reduce((sum, score) => sum + (score.isAttack === isAttack ? score.weight : 0), 0);
  const halves = { attack: 0.5 / Math.max(1e-9, total(true)), benign: 0.5 / Math.max(1e-9, total(false)) };
  const points = scores.map(({ score, channel, isAttack, weight }) => ({
    rarity: rarityOf(score, knots[channel]),
    isAttack,
    weight: weight * (isAttack ? halves.attack : halves.benign),
  }));
  let slope = 1;
  let offset = -1;
  for (let round = 0; round < 1000; round += 1) {
    let bySlope = 0;
    let byOffset = 0;
    for (const { rarity, isAttack, weight } of points) {
      const probability = 1 / (1 + Math.exp(-(slope * rarity + offset)));
      const error = (probability - (isAttack ? 1 : 0)) * weight;
      bySlope += error * rarity;
      byOffset += error;
    }
    slope -= bySlope * 2;
    offset -= byOffset * 2;
  }
  return { slope: Number(slope.toFixed(4)), offset: Number(offset.toFixed(4)) };
}
