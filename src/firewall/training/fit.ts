// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';
import { channels } from '../../message/channel.ts';
import type { Example, LabelledWindow } from './examples.ts';
import type { Draw } from './seeded-random.ts';
import { seededDraw, shuffle } from './seeded-random.ts';

export type FitOptions = {
  readonly bits: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Runs over the same examples in other orders; the mean of their weights is less of an accident. */
  readonly runs: number;
  readonly seed: number;
  /** An attack is learned as so much less than certain, and a harmless text as so much more than none. */
  readonly smoothing: number;
  /** Share of features left out of each step, drawn anew: the rest must do without any one of them. */
  readonly dropout: number;
  /** Weight of a source against the others; 1 where it is not named, and 0 leaves it out. */
  readonly sourceWeights: { readonly [source: string]: number };
};

export type Fitted = {
  readonly weights: Float32Array;
  readonly bias: { readonly [channel in Channel]: number };
};

const weightMax = 4;
const biasRate = 0.1;
const outsideShare = 0.3;
/** Windows of a harmless text drawn beside the one that looks worst. */
const drawnWindows = 2;

/**
 * Logistic regression over windows by plain stochastic descent: steps that do not adapt leave rare
 * features small, which generalises better to sources never seen than any adaptive method tried.
 * Every source weighs the same within its label. Of an attack without a known place the window that
 * scores highest is taken to be it; of a harmless text, the one that looks worst and some others.
 * Same examples and seed, same weights.
 */
export function fit(examples: readonly Example[], options: FitOptions): Fitted {
  const total = new Float32Array(1 << options.bits);
  const bias = new Float64Array(channels.length);
  for (let run = 0; run < options.runs; run += 1) {
    const descent = new Descent(options, seededDraw(options.seed + run));
    descent.run(examples, importanceOf(examples, options.sourceWeights), options);
    for (let index = 0; index < total.length; index += 1) {
      total[index] = (total[index] ?? 0) + (descent.weights[index] ?? 0) / options.runs;
    }
    for (let index = 0; index < bias.length; index += 1) {
      bias[index] = (bias[index] ?? 0) + (descent.bias[index] ?? 0) / options.runs;
    }
  }
  const named = Object.fromEntries(channels.map((channel, index) => [channel, bias[index] ?? 0]));
  return { weights: total, bias: named as Fitted['bias'] };
}

/** What the weights of a window, in all, amount to for so many features. */
export type Evidence = (sum: number, size: number) => number;

/** As weights are learned: every feature counts, and silence says nothing. */
export const learnedEvidence: Evidence = (sum, size) => sum / Math.sqrt(size);

/** Raw score of a window under weights that are being fitted. */
export function windowScore(
  example: Example,
  window: LabelledWindow,
  fitted: Fitted,
  evidence: Evidence,
): number {
  const { ids } = example;
  let sum = 0;
  const end = window.first + window.size;
  for (let at = window.first; at < end; at += 1) sum += fitted.weights[ids[at] ?? 0] ?? 0;
  return evidence(sum, window.size) + fitted.bias[example.channel];
}

export function importanceOf(
  examples: readonly Example[],
  sourceWeights: FitOptions['sourceWeights'],
): Float64Array {
  const counts = new Map<string, number>();
  const keyOf = ({ source, isAttack }: Example) => `${source} ${isAttack}`;
  for (const example of examples) counts.set(keyOf(example), (counts.get(keyOf(example)) ?? 0) + 1);
  const raw = examples.map((example) => {
    return (sourceWeights[example.source] ?? 1) / (counts.get(keyOf(example)) ?? 1);
  });
  const mean = (isAttack: boolean) => {
    let sum = 0;
    let count = 0;
    examples.forEach((example, index) => {
      if (example.isAttack !== isAttack) return;
      sum += raw[index] ?? 0;
      count += 1;
    });
    return sum / Math.max(1, count);
  };
  const means = { attack: mean(true), benign: mean(false) };
  return Float64Array.from(examples, ({ isAttack }, index) =>
    Math.min(weightMax, (raw[index] ?? 0) / (isAttack ? means.attack : means.benign)),
  );
}

class Descent {
  readonly weights: Float32Array;
  readonly bias = new Float64Array(channels.length);
  private readonly draw: Draw;
  private readonly smoothing: number;
  /** Of 65,536 features of a step, how many are left out. */
  private readonly dropped: number;

  constructor({ bits, smoothing, dropout }: FitOptions, draw: Draw) {
    this.weights = new Float32Array(1 << bits);
    this.smoothing = smoothing;
    this.dropped = Math.round(dropout * 65_536);
    this.draw = draw;
  }

  run(examples: readonly Example[], importance: Float64Array, options: FitOptions): void {
    const order = Int32Array.from(examples, (_, index) => index);
    for (let epoch = 0; epoch < options.epochs; epoch += 1) {
      shuffle(order, this.draw);
      const rate = options.learningRate * (1 - (epoch / options.epochs) * 0.7);
      for (const index of order) {
        const example = examples[index];
        if (example === undefined || example.windows.length === 0) continue;
        this.learn(example, rate * (importance[index] ?? 0), epoch > 0);
      }
    }
  }

  private learn(example: Example, rate: number, knowsSomething: boolean): void {
    const { windows } = example;
    if (example.isAttack && example.isMarked) {
      for (const window of windows) {
        if (window.label === 1) this.step(example, window, 1, rate);
        else if (window.label === 0 && this.draw() < outsideShare) this.step(example, window, 0, rate);
      }
      return;
    }
    const label = example.isAttack ? 1 : 0;
    if (windows.length <= 2 && label === 0) {
      for (const window of windows) this.step(example, window, 0, rate);
      return;
    }
    this.step(example, knowsSomething ? this.highest(example) : this.any(windows), label, rate);
    if (label === 1) return;
    for (let drawn = 0; drawn < drawnWindows; drawn += 1) this.step(example, this.any(windows), 0, rate);
  }

  private step(example: Example, window: LabelledWindow, label: 0 | 1, rate: number): void {
    const { ids, channel } = example;
    const place = channels.indexOf(channel);
    const end = window.first + window.size;
    const salt = Math.floor(this.draw() * 2 ** 31);
    const score = this.thinned(example, window, salt);
    const target = label === 1 ? 1 - this.smoothing : this.smoothing;
    const error = (1 / (1 + Math.exp(-score)) - target) * rate;
    if (Math.abs(error) < 1e-4) return;
    this.bias[place] = (this.bias[place] ?? 0) - error * biasRate;
    const change = error / Math.sqrt(window.size);
    const { weights } = this;
    for (let at = window.first; at < end; at += 1) {
      const id = ids[at] ?? 0;
      if (!this.isDropped(id, salt)) weights[id] = (weights[id] ?? 0) - change;
    }
  }

  /** Score of a window by the features that this step keeps. */
  private thinned({ ids, channel }: Example, { first, size }: LabelledWindow, salt: number): number {
    let sum = 0;
    let kept = 0;
    for (let at = first; at < first + size; at += 1) {
      const id = ids[at] ?? 0;
      if (this.isDropped(id, salt)) continue;
      sum += this.weights[id] ?? 0;
      kept += 1;
    }
    return sum / Math.sqrt(Math.max(1, kept)) + (this.bias[channels.indexOf(channel)] ?? 0);
  }

  /** All places of one feature in a window go together. */
  private isDropped(id: number, salt: number): boolean {
    return Math.imul(id ^ salt, 0x9e3779b1) >>> 16 < this.dropped;
  }

  private score({ ids, channel }: Example, { first, size }: LabelledWindow): number {
    let sum = 0;
    for (let at = first; at < first + size; at += 1) sum += this.weights[ids[at] ?? 0] ?? 0;
    return learnedEvidence(sum, size) + (this.bias[channels.indexOf(channel)] ?? 0);
  }

  private highest(example: Example): LabelledWindow {
    let best = -Infinity;
    let found = example.windows[0];
    for (const window of example.windows) {
      const score = this.score(example, window);
      if (score <= best) continue;
      best = score;
      found = window;
    }
    return found ?? this.any(example.windows);
  }

  private any(windows: readonly LabelledWindow[]): LabelledWindow {
    const window = windows[Math.floor(this.draw() * windows.length)];
    if (window === undefined) throw new RangeError('An example without windows cannot be learned from.');
    return window;
  }
}
