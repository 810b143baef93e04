// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Label } from '../message/envelope.ts';
import { parseLabel } from '../message/envelope-parse.ts';
import { cleanLabel, dominates, flowsTo, joinLabels, raiseTo } from './label.ts';

const classifications = ['public', 'internal', 'confidential', 'restricted'] as const;
const anyLabel: fc.Arbitrary<Label> = fc.record({
  classification: fc.constantFrom(...classifications),
  integrity: fc.constantFrom('trusted' as const, 'internal' as const, 'untrusted' as const),
  origins: fc
    .uniqueArray(fc.nat({ max: 60 }).map((index) => `tool:t${index}`), { maxLength: 32 })
    .map((origins) => origins.sort()),
});

describe('label', () => {
  it('lets nothing flow below its classification', () => {
    for (const [rank, classification] of classifications.entries()) {
      for (const [clearanceRank, clearance] of classifications.entries()) {
        expect(flowsTo(classification, clearance)).toBe(rank <= clearanceRank);
      }
    }
  });

  it('lets nothing flow where a name is unknown', () => {
    const unknown: Label = JSON.parse('{"classification":"secret","integrity":"x","origins":[]}');
    expect(flowsTo(unknown.classification, 'restricted')).toBe(false);
    expect(flowsTo('public', unknown.classification)).toBe(false);
  });

  it('never falls when joined, whatever the order', () => {
    fc.assert(
      fc.property(anyLabel, anyLabel, anyLabel, (a, b, c) => {
        const joined = joinLabels(a, b);
        expect(dominates(joined, a) && dominates(joined, b)).toBe(true);
        expect(joinLabels(b, a)).toEqual(joined);
        expect(joinLabels(joined, c)).toEqual(joinLabels(a, joinLabels(b, c)));
        expect(joinLabels(a, a)).toEqual(a);
        expect(joinLabels(cleanLabel, a)).toEqual(a);
      }),
    );
  });

  it('always has a form that an envelope can carry', () => {
    fc.assert(
      fc.property(fc.array(anyLabel, { maxLength: 4 }), (labels) => {
        const joined = joinLabels(...labels);
        expect(parseLabel(JSON.parse(JSON.stringify(joined)))).toEqual(joined);
      }),
    );
  });

  it('forgets which origins there were once there are more than 32, and stays so', () => {
    const half = (prefix: string): Label => ({
      ...cleanLabel,
      origins: Array.from({ length: 17 }, (_, index) => `${prefix}:${index}`).sort(),
    });
    const many = joinLabels(half('a'), half('b'));
    expect(many.origins).toEqual(['*']);
    expect(joinLabels(many, half('c')).origins).toEqual(['*']);
    expect(dominates(many, half('a'))).toBe(true);
  });

  it('raises to a floor and never lowers', () => {
    const label: Label = { ...cleanLabel, classification: 'confidential' };
    expect(raiseTo(label, 'internal')).toBe(label);
    expect(raiseTo(label, 'restricted').classification).toBe('restricted');
  });
});
