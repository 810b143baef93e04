// SPDX-License-Identifier: Apache-2.0
import { normalise } from '../../text/normalise.ts';
import type { FeatureReader } from '../features.ts';
import { channelGroups } from '../features.ts';
import type { SecondWeights } from '../second-weights.ts';
import type { Example } from './examples.ts';
import type { LabelledRow } from './labelled-row.ts';
import type { Fitted, FitOptions } from './fit.ts';
import { importanceOf, learnedEvidence, windowScore } from './fit.ts';

/** Sources of rows that `composeRows` made. */
export const composedHere = 'own-';

/** One training of the second reader. */
export type SecondTraining = {
  /** What the first reader was fitted to, and what it learned. */
  readonly examples: readonly Example[];
  readonly fitted: Fitted;
  /** Words of harmless texts with a 0 after each (`harmlessWords`): vectors of words come from there. */
  readonly harmless: Uint32Array;
};

/** Trains a second reader for each training. Same input and seed, same readers. */
export type TrainSecond = (trainings: readonly SecondTraining[], options: FitOptions) => readonly SecondWeights[];

/** What a training needs of the examples, file by file; hashes of words, no text. */
export function secondMaterial({ examples, fitted }: Omit<SecondTraining, 'harmless'>, options: FitOptions) {
  const importance = importanceOf(examples, options.sourceWeights);
  const words = new Uint32Array(examples.reduce((sum, example) => sum + example.words.length, 0));
  const rows = new Int32Array(examples.length * 4);
  const windows: number[] = [];
  const linear: number[] = [];
  let first = 0;
  examples.forEach((example, row) => {
    words.set(example.words, first);
    const flags = (example.isAttack ? 1 : 0) + (example.isMarked ? 2 : 0);
    rows.set([first, example.words.length, channelGroups[example.channel], flags], row * 4);
    for (const window of example.windows) {
      windows.push(row, window.from, window.to, window.label ?? -1);
      linear.push(windowScore(example, window, fitted, learnedEvidence));
    }
    first += example.words.length;
  });
  return {
    'words.u32': words,
    'rows.i32': rows,
    'importance.f32': Float32Array.from(importance),
    'windows.i32': Int32Array.from(windows),
    'linear.f32': Float32Array.from(linear),
  } as const;
}

/** The words of harmless texts, a 0 after each. What was composed is left out: its lines stand there many times. */
export function harmlessWords(rows: readonly LabelledRow[], reader: FeatureReader): Uint32Array {
  const texts = rows
    .filter(({ label, source }) => label === 'benign' && !source.startsWith(composedHere))
    .map(({ text, channel }) => reader.read(normalise(text).text, channel).words.slice());
  const all = new Uint32Array(texts.reduce((sum, { length }) => sum + length + 1, 0));
  let at = 0;
  for (const words of texts) {
    all.set(words, at);
    at += words.length + 1;
  }
  return all;
}
