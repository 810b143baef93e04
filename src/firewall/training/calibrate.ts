// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';
import { channels } from '../../message/channel.ts';
import type { Calibration } from '../compact-model.ts';
import { benignShares, rarityOf } from '../compact-model.ts';

/** The score that a model gave to a text it did not learn from. */
export type HeldScore = { readonly score: number; readonly channel: Channel; readonly isAttack: boolean };

/** A channel with fewer harmless texts than this borrows from all channels together. */
const textsMin = 150;

/**
 * Turns scores into probabilities: per channel, the scores that a share of harmless texts exceeds;
 * over all channels, the logistic curve from that rarity to being an attack, both labels weighing
 * the same. `scores` must be of texts that the model did not learn from.
 */
export function calibrate(scores: readonly HeldScore[]): Calibration {
  const harmless = scores.filter(({ isAttack }) => !isAttack);
  const all = knotsOf(harmless.map(({ score }) => score));
  const knots = Object.fromEntries(
    channels.map((channel) => {
      const own = harmless.filter((each) => each.channel === channel).map(({ score }) => score);
      return [channel, own.length < textsMin ? all : knotsOf(own)];
    }),
  ) as Calibration['knots'];
  const rarities = scores.map(({ score, channel, isAttack }) => ({
    rarity: rarityOf(score, knots[channel]),
    isAttack,
  }));
  return { knots, ...logisticOf(rarities) };
}

/** Scores that the shares exceed; strictly ascending, so that a rarity is always defined. */
function knotsOf(scores: readonly number[]): readonly number[] {
  const falling = [...scores].filter(Number.isFinite).sort((a, b) => b - a);
  let least = -Infinity;
  return benignShares.map((share) => {
    const at = Math.min(falling.length - 1, Math.floor(falling.length * share));
    const knot = Math.max(falling[at] ?? 0, least + 1e-3);
    least = knot;
    return Number(knot.toFixed(4));
  });
}

function logisticOf(
  rarities: readonly { readonly rarity: number; readonly isAttack: boolean }[],
): { readonly slope: number; readonly offset: number } {
  const attacks = rarities.filter(({ isAttack }) => isAttack).length;
  const weights = { attack: 0.5 / Math.max(1, attacks), benign: 0.5 / Math.max(1, rarities.length - attacks) };
  let slope = 1;
  let offset = -1;
  for (let round = 0; round < 2000; round += 1) {
    let bySlope = 0;
    let byOffset = 0;
    for (const { rarity, isAttack } of rarities) {
      const probability = 1 / (1 + Math.exp(-(slope * rarity + offset)));
      const error = (probability - (isAttack ? 1 : 0)) * (isAttack ? weights.attack : weights.benign);
      bySlope += error * rarity;
      byOffset += error;
    }
    slope -= bySlope * 2;
    offset -= byOffset * 2;
  }
  return { slope: Number(slope.toFixed(4)), offset: Number(offset.toFixed(4)) };
}
