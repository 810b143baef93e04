// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../message/channel.ts';
import { perChannel } from '../message/channel.ts';
import { readText } from '../text/read-text.ts';
import type { Features } from './features.ts';
import { channelGroups, FeatureReader } from './features.ts';
import type { TokenRange } from './second-reader.ts';
import { SecondReader } from './second-reader.ts';
import type { SecondWeights } from './second-weights.ts';
import type { Doubt } from './two-readings.ts';
import { doubtOf, twoReadings } from './two-readings.ts';
import type { WordClusters } from './word-clusters.ts';

/** Tokens of one window, and of one step from window to window. */
export const windowTokens = 64;
export const windowStep = 32;

/** How a raw score of a channel turns into a probability, see `calibrate`. */
export type Calibration = {
  /** Scores that the shares of `benignShares` of harmless texts exceed; ascending. */
  readonly knots: { readonly [channel in Channel]: readonly number[] };
  readonly slope: number;
  readonly offset: number;
};

/** Share of harmless texts that score above a knot. */
export const benignShares: readonly number[] = [
  0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001,
];

/** Scores of the first reading from which a text is read a second time. */
export type Doubts = { readonly [channel in Channel]: number };

export type CompactWeights = {
  /** Name of the model, `NAME@DATE`; goes into every verdict. */
  readonly version: string;
  /** The table has 2 to this power weights. */
  readonly bits: number;
  readonly weights: Int8Array;
  /** Groups of words that the features use; null for a model without them. */
  readonly clusters: WordClusters | null;
  /** What one step of a weight is worth. */
  readonly scale: number;
  readonly bias: { readonly [channel in Channel]: number };
  /** Longer texts have more windows and with them more chances to look bad by accident. */
  readonly lengthPenalty: { readonly [channel in Channel]: number };
  readonly calibration: Calibration;
  /** Null for a model that reads every text once. */
  readonly second: { readonly weights: SecondWeights; readonly doubtFrom: Doubts } | null;
};

export type Window = {
  /** Place in the view that scored highest, UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly score: number;
};

type Scored = Pick<Reading, 'score' | 'window' | 'logit'>;

export type Reading = {
  readonly probability: number;
  readonly score: number;
  /** The window that decided; null for a text without tokens. */
  readonly window: Window | null;
  /** Log-odds that its second reading gave; null where it was read once. */
  readonly logit: number | null;
};

/**
 * The project's own model: a linear score over hashed features in sliding windows, and a second reading of
 * the worst where that is in doubt; the highest window of the text, in any way it can be read, speaks for
 * it. Pure and deterministic. Time grows linearly with the text, also with the worst one.
 */
export class CompactModel {
  readonly version: string;
  private readonly model: CompactWeights;
  private readonly features: FeatureReader;
  private readonly second: SecondReader | null;
  private readonly doubt: { readonly [channel in Channel]: Doubt } | null;
  private sums = new Float64Array(1 << 10);

  constructor(model: CompactWeights) {
    this.model = model;
    this.version = model.version;
    this.features = new FeatureReader(model.bits, model.clusters);
    this.second = model.second === null ? null : new SecondReader(model.second.weights);
    this.doubt = doubtsOf(model);
  }

  read(text: string, channel: Channel): Reading {
    const reading = this.readWithin(text, channel, Infinity);
    if (reading === null) throw new RangeError('Without a bound every text is read.');
    return reading;
  }

  /** Null where more than `windowsMax` windows would have to be read a second time. */
  readWithin(text: string, channel: Channel, windowsMax: number): (Reading & { readonly windowsTwice: number }) | null {
    let best: Scored = { score: -Infinity, window: null, logit: null };
    let left = windowsMax;
    let windowsTwice = 0;
    for (const view of readText(text).views) {
      const scored = this.score(view.text, channel, left);
      if (scored === null) return null;
      left -= scored.windowsTwice;
      windowsTwice += scored.windowsTwice;
      if (scored.score > best.score) best = scored;
    }
    const { score, window, logit } = best;
    return { probability: probabilityOf(score, channel, this.model.calibration), score, window, logit, windowsTwice };
  }

  /** Raw score of one text as it stands; null as in `readWithin`. */
  score(text: string, channel: Channel, windowsMax = Infinity): (Scored & { readonly windowsTwice: number }) | null {
    const features = this.features.read(text, channel);
    if (features.count === 0) return { score: -Infinity, window: null, logit: null, windowsTwice: 0 };
    this.sum(features);
    const { starts, ends, words } = features;
    const windows = windowsOver(features.count);
    const first = windows.map((window) => this.firstScore(features, window, channel));
    const penalty = this.model.lengthPenalty[channel] * Math.log(windows.length);
    let windowsTwice = 0;
    const logitAt = (place: number): number => {
      windowsTwice = 1;
      const window = windows[place];
      const { second } = this;
      if (second === null || window === undefined || windowsTwice > windowsMax) return 0;
      return second.logit(words, window, channelGroups[channel]);
    };
    const { score, at, logit } = twoReadings(first, penalty, this.doubt?.[channel] ?? null, logitAt);
    if (windowsTwice > windowsMax) return null;
    const { from, to } = windows[at] ?? { from: 0, to: 1 };
    return { score, window: { start: starts[from] ?? 0, end: ends[to - 1] ?? 0, score }, logit, windowsTwice };
  }

  private firstScore({ offsets }: Features, { from, to }: TokenRange, channel: Channel): number {
    const size = (offsets[to] ?? 0) - (offsets[from] ?? 0);
    return evidenceOf((this.sums[to] ?? 0) - (this.sums[from] ?? 0), size) + this.model.bias[channel];
  }

  /** Each token's part in the score, in order: what `maso firewall explain` shows. */
  contributions(text: string, channel: Channel): readonly (Window & { readonly token: string })[] {
    const features = this.features.read(text, channel);
    this.sum(features);
    return Array.from({ length: features.count }, (_, token) => {
      const start = features.starts[token] ?? 0;
      const end = features.ends[token] ?? 0;
      const score = (this.sums[token + 1] ?? 0) - (this.sums[token] ?? 0);
      return { token: text.slice(start, end), start, end, score };
    });
  }

  /** Running sums of weights over tokens: a window is then one subtraction. */
  private sum({ count, offsets, ids }: Features): void {
    if (this.sums.length <= count) this.sums = new Float64Array(2 * count);
    const { weights, scale } = this.model;
    let total = 0;
    let at = 0;
    this.sums[0] = 0;
    for (let token = 1; token <= count; token += 1) {
      const end = offsets[token] ?? 0;
      for (; at < end; at += 1) total += weights[ids[at] ?? 0] ?? 0;
      this.sums[token] = total * scale;
    }
  }
}

/** Below the first no band of ours holds a text, and from the second on each refuses it (`shippedFirewall`). */
export const suspectFrom = 0.8;
export const sureFrom = 0.995;

function doubtsOf({ second, calibration }: CompactWeights): { readonly [channel in Channel]: Doubt } | null {
  if (second === null) return null;
  return perChannel((channel) => {
    const at = (probability: number) => scoreOf(probability, channel, calibration);
    return doubtOf(second.doubtFrom[channel], at(suspectFrom), at(sureFrom));
  });
}

function windowsOver(count: number): readonly TokenRange[] {
  const windows: TokenRange[] = [];
  for (let from = 0; ; from += windowStep) {
    const to = Math.min(from + windowTokens, count);
    windows.push({ from, to });
    if (to === count) return windows;
  }
}

/** So many features that say nothing are thought beside those of every window, and what they cost. */
const silentFeatures = 20;
const silenceCost = 0.5;

/**
 * What the weights of a window amount to. Scores of harmless texts were taken from texts of ordinary
 * length; beside those a word or two that say nothing ("ok", "done") looked rare, and suspect for it. Few
 * features move a score less, and what is silent counts as harmless: a telling word still tells.
 */
export function evidenceOf(sum: number, size: number): number {
  const silence = silentFeatures / (size + silentFeatures);
  return size === 0 ? 0 : sum / Math.sqrt(size + silentFeatures) - silenceCost * silence;
}

/**
 * The rarity of the score among harmless texts of the channel, in powers of ten, as a probability:
 * a score that one harmless text of a hundred reaches means the same in every channel.
 */
export function probabilityOf(score: number, channel: Channel, calibration: Calibration): number {
  if (score === -Infinity) return 0;
  const rarity = rarityOf(score, calibration.knots[channel]);
  return 1 / (1 + Math.exp(-(calibration.slope * rarity + calibration.offset)));
}

/** The score that has a probability, strictly between 0 and 1: `probabilityOf` backwards. */
export function scoreOf(probability: number, channel: Channel, { knots, slope, offset }: Calibration): number {
  const rarity = (Math.log(probability / (1 - probability)) - offset) / slope;
  const own = knots[channel];
  let above = 1;
  while (above < own.length - 1 && rarity > rarityAt(above)) above += 1;
  const low = own[above - 1] ?? 0;
  const share = (rarity - rarityAt(above - 1)) / (rarityAt(above) - rarityAt(above - 1));
  return low + share * Math.max((own[above] ?? 1) - low, 1e-6);
}

/** Beyond this a probability is 1 to every digit. */
const rarityMax = 12;

/** Minus the decimal logarithm of the share of harmless texts above `score`; beyond the ends, straight on. */
export function rarityOf(score: number, knots: readonly number[]): number {
  let above = 1;
  while (above < knots.length - 1 && score > (knots[above] ?? Infinity)) above += 1;
  const low = knots[above - 1] ?? 0;
  const high = knots[above] ?? 1;
  const from = rarityAt(above - 1);
  const to = rarityAt(above);
  const rarity = from + ((score - low) / Math.max(high - low, 1e-6)) * (to - from);
  return Math.max(0, Math.min(rarityMax, rarity));
}

function rarityAt(knot: number): number {
  return -Math.log10(benignShares[knot] ?? 1);
}
