// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { NumbersLeftOut, numberOf } from './entry-number.ts';
import type { EntryDraft } from './entry.ts';

const run = '01MCC5RM00TTZPXNJXEVZD79G9';
const draft = (writer: string): EntryDraft => ({
  kind: 'tool.intent', id: 'i', at: 0, actor: 'agent:payments', task: null, message: null, causedBy: [],
  outcome: null, code: null, verdicts: [], tookUs: null, detail: { writer },
});

describe('the number of an entry', () => {
  it('comes with those that the entry says were given up', () => {
    expect(numberOf(draft(`${run}/58/32/32,39,56-57`))).toEqual({
      name: 'payments', run, number: 58, givenUp: [32, 39, 56, 57],
    });
    expect(numberOf(draft(`${run}/58/32`))?.givenUp).toEqual([]);
    // A sidecar may write what it likes, and costs nobody more than a line.
    expect(numberOf(draft(`${run}/58/32/0-999999999`))?.givenUp).toHaveLength(64);
    expect(numberOf(draft(`${run}/58/32/-,--,9-1`))?.givenUp.length).toBeLessThanOrEqual(64);
  });
});

describe('numbers that are left out', () => {
  it('are those of the entry and those that it alone would have named', () => {
    const leftOut = new NumbersLeftOut();
    expect(leftOut.add(draft(`${run}/58/32/32,56-57`))).toBe(true);
    expect(leftOut.add(draft(`${run}/60/32`))).toBe(true);
    expect(leftOut.toJson()).toEqual({ [`payments ${run}`]: '32,56-58,60' });
  });
});
