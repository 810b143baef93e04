// SPDX-License-Identifier: Apache-2.0
import type { Outcome } from './verdict.ts';

/** One case with a known answer, and what each model said to it by itself. */
export type AnsweredCase = {
  readonly expected: 'GO' | 'NO-GO';
  readonly models: { readonly [model: string]: Outcome };
};

/** How often two models erred, and how often in the same way (EP-02). */
export type SharedErrors = {
  readonly models: readonly [string, string];
  /** Cases that both answered. */
  readonly cases: number;
  /** Of those, what at least one of them got wrong, and what both did. */
  readonly either: number;
  readonly both: number;
  /**
   * How many both would get wrong if their errors had nothing to do with each other: the product of
   * their rates, over these cases.
   */
  readonly byChance: number;
};

/**
 * Errors of every pair of models over the cases that both answered. A doubt is no error: it goes to
 * people. Accuracy says nothing here: two models that are right 95 times of 100 and wrong on the same
 * five are one opinion.
 */
export function sharedErrorsOf(cases: readonly AnsweredCase[]): readonly SharedErrors[] {
  const names = [...new Set(cases.flatMap(({ models }) => Object.keys(models)))].sort();
  return names.flatMap((first, index) =>
    names.slice(index + 1).flatMap((second) => pairOf(first, second, cases) ?? []));
}

/** True when two models have erred often enough to say so, and mostly together. */
export function errAlike(
  { either, both }: SharedErrors,
  { sharedErrorsMax, errorsMin }: { readonly sharedErrorsMax: number; readonly errorsMin: number },
): boolean {
  return either >= errorsMin && !(both / either <= sharedErrorsMax);
}

function pairOf(first: string, second: string, cases: readonly AnsweredCase[]): SharedErrors | null {
  const common = cases.filter(({ models }) => Object.hasOwn(models, first) && Object.hasOwn(models, second));
  if (common.length === 0) return null;
  const wrong = ({ expected, models }: AnsweredCase, model: string): boolean =>
    models[model] !== expected && models[model] !== 'ESCALATE';
  const errors = common.map((one) => [wrong(one, first), wrong(one, second)] as const);
  const count = (has: (pair: readonly [boolean, boolean]) => boolean): number => errors.filter(has).length;
  const [ofFirst, ofSecond] = [count(([a]) => a), count(([, b]) => b)];
  return {
    models: [first, second],
    cases: common.length,
    either: count(([a, b]) => a || b),
    both: count(([a, b]) => a && b),
    byChance: (ofFirst * ofSecond) / common.length,
  };
}
