// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errAlike, sharedErrorsOf, type AnsweredCase } from './shared-errors.ts';
import type { Outcome } from './verdict.ts';

const limits = { sharedErrorsMax: 0.5, errorsMin: 5 };

/** `wrong` of each model by the number of the case; NO-GO is right everywhere. */
function cases(count: number, wrong: { readonly [model: string]: readonly number[] }): readonly AnsweredCase[] {
  return Array.from({ length: count }, (_, at) => ({
    expected: 'NO-GO',
    models: Object.fromEntries(Object.entries(wrong).map(([model, at_]) =>
      [model, (at_.includes(at) ? 'GO' : 'NO-GO') as Outcome])),
  }));
}

describe('errors of two models', () => {
  it('that are the same make them one opinion, however seldom they err', () => {
    const [pair] = sharedErrorsOf(cases(1000, { a: [1, 2, 3, 4, 5], b: [1, 2, 3, 4, 5] }));
    expect(pair).toMatchObject({ models: ['a', 'b'], cases: 1000, either: 5, both: 5, byChance: 0.025 });
    expect(pair !== undefined && errAlike(pair, limits)).toBe(true);
  });

  it('that have nothing in common do not, however often they err', () => {
    const [pair] = sharedErrorsOf(cases(20, { a: [0, 1, 2, 3, 4, 5], b: [6, 7, 8, 9, 10, 11] }));
    expect(pair).toMatchObject({ either: 12, both: 0 });
    expect(pair !== undefined && errAlike(pair, limits)).toBe(false);
  });

  it('that are few say nothing', () => {
    const [pair] = sharedErrorsOf(cases(1000, { a: [1, 2], b: [1, 2] }));
    expect(pair !== undefined && errAlike(pair, limits)).toBe(false);
  });

  it('are counted over cases that both answered, and a doubt is none', () => {
    const some: readonly AnsweredCase[] = [
      { expected: 'NO-GO', models: { a: 'GO' } },
      { expected: 'NO-GO', models: { a: 'GO', b: 'ESCALATE' } },
      { expected: 'GO', models: { a: 'NO-GO', b: 'NO-GO' } },
    ];
    expect(sharedErrorsOf(some)).toEqual([{ models: ['a', 'b'], cases: 2, either: 2, both: 1, byChance: 1 }]);
    expect(sharedErrorsOf([])).toEqual([]);
  });

  it('are found for every pair once, and never more together than apart', () => {
    const outcome = fc.constantFrom<Outcome>('GO', 'NO-GO', 'ESCALATE');
    const one = fc.record({
      expected: fc.constantFrom<'GO' | 'NO-GO'>('GO', 'NO-GO'),
      models: fc.record({ a: outcome, b: outcome, c: outcome }, { requiredKeys: [] }),
    });
    fc.assert(fc.property(fc.array(one, { maxLength: 40 }), (many) => {
      const pairs = sharedErrorsOf(many as readonly AnsweredCase[]);
      expect(new Set(pairs.map(({ models }) => models.join())).size).toBe(pairs.length);
      for (const { cases: of, either, both, byChance } of pairs) {
        expect(both).toBeLessThanOrEqual(either);
        expect(either).toBeLessThanOrEqual(of);
        expect(byChance).toBeLessThanOrEqual(of);
      }
    }));
  });
});
