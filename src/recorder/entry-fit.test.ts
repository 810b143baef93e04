// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draft } from '../../test/faults/recorder-fixture.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Finding, Verdict } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import { fitEntry } from './entry-fit.ts';
import { isEntryDraft } from './entry-shape.ts';

const verdict = (findings: readonly Finding[]): Verdict => ({
  outcome: 'NO-GO',
  control: 'scanner',
  version: '1',
  tookUs: 0,
  findings,
});

describe('an entry that an attacker made large', () => {
  test('by nesting what is found is cut at a segment, not refused', () => {
    const path = `/${'k'.repeat(64)}`.repeat(32);
    const large = draft(1, { verdicts: [verdict([finding('SCAN_SECRET', 'rule', path)])] });
    expect(isEntryDraft(large)).toBe(false);
    const fitted = fitEntry(large);
    expect(isEntryDraft(fitted)).toBe(true);
    expect(fitted.verdicts[0]?.findings[0]?.path).toBe(`${`/${'k'.repeat(64)}`.repeat(3)}/*`);
  });

  test('by everything at once still fits, and always with a finding of each verdict', () => {
    const text = fc.string({ maxLength: 3000, unit: 'binary' });
    const found = fc.record({ code: text, rule: text, path: text.map((part) => `/${part}`) });
    fc.assert(
      fc.property(fc.array(fc.array(found, { minLength: 1, maxLength: 90 }), { maxLength: 16 }), (all) => {
        const verdicts = all.map((one) =>
          verdict(one.map(({ code, rule, path }) => finding(code, rule, path.toWellFormed()))),
        );
        const fitted = fitEntry(draft(1, { verdicts, causedBy: Array(500).fill('c') }));
        expect(isEntryDraft(fitted)).toBe(true);
        expect(fitted.verdicts.every((one) => one.findings.length > 0)).toBe(true);
        expect(canonicalize({ ...fitted } as never).length).toBeLessThan(64 * 1024);
      }),
      { numRuns: 50 },
    );
  });

  test('is left as it is when it fits', () => {
    const small = draft(1, { verdicts: [verdict([finding('SCAN_SECRET', 'rule', '/a')])] });
    expect(fitEntry(small)).toBe(small);
  });
});
