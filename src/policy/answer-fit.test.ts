// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { ExpectedAnswer } from '../mesh/expected-answer.ts';
import type { JsonValue } from '../message/json.ts';
import { answerFindings } from './answer-fit.ts';

const expected: ExpectedAnswer = {
  schemas: ['figures/1'],
  same: new Map([['/ticker', '/company/ticker']]),
  every: new Map([['/years', '/years']]),
};
const asked = { ticker: 'NORD', years: [2024, 2025] };
const answered = { company: { ticker: 'NORD' }, years: [2023, 2025, 2024] };

const codes = (payload: JsonValue, order: JsonValue = asked, schema = 'figures/1') =>
  answerFindings(expected, order, { schema, payload }).map(({ code, path }) => [code, path]);

describe('an answer', () => {
  it.each([
    ['of another kind', 'note/1', answered, ['POLICY_ANSWER_KIND', null]],
    ['about another entity', 'figures/1', { ...answered, company: { ticker: 'SOLO' } }, ['POLICY_ANSWER_OTHER', '/company/ticker']],
    ['about no entity', 'figures/1', { years: [2024, 2025] }, ['POLICY_ANSWER_OTHER', '/company/ticker']],
    ['of a part', 'figures/1', { ...answered, years: [2024] }, ['POLICY_ANSWER_PARTIAL', '/years']],
    ['without its list', 'figures/1', { company: { ticker: 'NORD' } }, ['POLICY_ANSWER_PARTIAL', '/years']],
    ['with a list that is none', 'figures/1', { ...answered, years: { 0: 2024, 1: 2025 } }, ['POLICY_ANSWER_PARTIAL', '/years']],
    ['with years as texts', 'figures/1', { ...answered, years: ['2024', '2025'] }, ['POLICY_ANSWER_PARTIAL', '/years']],
    ['too long to be looked through', 'figures/1', { ...answered, years: Array.from({ length: 1_001 }, (_, at) => 2024 + at) }, ['POLICY_ANSWER_PARTIAL', '/years']],
  ] as const)('%s does not fit', (_what, schema, payload, found) => {
    expect(codes(payload, asked, schema)).toEqual([found]);
  });

  it('that has what was asked for fits, also with more, and in another order', () => {
    expect(codes(answered)).toEqual([]);
    expect(codes({ ...answered, remark: 'see page 4' })).toEqual([]);
  });

  it('is held to nothing that the instruction left out', () => {
    expect(codes({ company: { ticker: 'ANY' } }, {})).toEqual([]);
  });

  it('is compared by value: 0 is not the absence of it, and objects have no order', () => {
    const one: ExpectedAnswer = { schemas: ['a/1'], same: new Map([['/n', '/n']]), every: new Map() };
    const found = (n: JsonValue, given: JsonValue) => answerFindings(one, { n }, { schema: 'a/1', payload: given });
    expect(found(0, {})).toHaveLength(1);
    expect(found(0, { n: 0 })).toEqual([]);
    expect(found({ a: 1, b: 2 }, { n: { b: 2, a: 1 } })).toEqual([]);
    expect(found(null, { n: null })).toEqual([]);
  });
});
