// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { OISpec, OutputConstraints } from '../mesh/oispec.ts';
import { sayingFindings, type Saying } from './tactical.ts';

function oispecWith(output: Partial<OutputConstraints>): OISpec {
  const oispec = sampleMesh().agents.get('triage')?.oispec;
  if (oispec === undefined || oispec === null) throw new Error('no OISpec');
  const none = { confidenceWithoutSourceMax: 1, requiredFields: [], prohibitedContent: [] };
  return { ...oispec, output: { ...none, ...output } };
}

function codesOf(output: Partial<OutputConstraints>, saying: Partial<Saying>): readonly string[] {
  const whole: Saying = { type: 'data', payload: {}, epistemic: null, origins: [], ...saying };
  return sayingFindings(oispecWith(output), whole).map(({ code }) => code);
}

describe('required fields', () => {
  const requiredFields = ['invoice.number', 'state'];
  it.each([
    ['nothing', {}], ['one of two', { state: 'open' }], ['an empty one', { state: '', invoice: { number: '1' } }],
    ['null', { state: null, invoice: { number: '1' } }], ['text', 'state'], ['inherited ones', { state: 'a', invoice: [] }],
  ])('are missed in %s', (_what, payload) => {
    expect(codesOf({ requiredFields }, { payload })).toContain('POLICY_OUTPUT_FIELD_MISSING');
  });

  it('are enough where they stand, and no instruction has them', () => {
    expect(codesOf({ requiredFields }, { payload: { state: 'open', invoice: { number: '1' } } })).toEqual([]);
    expect(codesOf({ requiredFields }, { type: 'instruction' })).toEqual([]);
  });
});

describe('prohibited content', () => {
  const prohibitedContent = ['guaranteed return'];
  it.each([
    ['as it is', 'a guaranteed return'], ['in capitals', 'A GUARANTEED RETURN!'],
    ['in full width', 'ｇｕａｒａｎｔｅｅｄ return'], ['with hidden characters', 'guaran\u200bteed re\u00adturn'],
    ['over lines', 'guaranteed\n  return'], ['nested', { a: [{ b: 'guaranteed return' }] }],
    ['as a name', { 'Guaranteed return': 1 }],
  ])('is found %s', (_what, text) => {
    expect(codesOf({ prohibitedContent }, { payload: { text } })).toEqual(['POLICY_OUTPUT_PROHIBITED']);
  });

  it('is not found in other words, nor in an empty phrase', () => {
    expect(codesOf({ prohibitedContent }, { payload: { text: 'returns are not guaranteed' } })).toEqual([]);
    expect(codesOf({ prohibitedContent: ['\u200b'] }, { payload: { text: 'x' } })).toEqual([]);
  });

  it('is assumed where a payload is deeper than anybody looks', () => {
    let payload: Saying['payload'] = 'x';
    for (let depth = 0; depth < 100; depth += 1) payload = [payload];
    expect(codesOf({ prohibitedContent }, { payload: { payload } })).toEqual(['POLICY_OUTPUT_PROHIBITED']);
  });
});

describe('confidence without a source', () => {
  const output = { confidenceWithoutSourceMax: 0.5 };
  const epistemic = (confidence: number | null) => ({ confidence, assumptions: [], unknowns: [] });
  it.each([[0.51], [1], [Number.NaN]])('of %d is too high', (confidence) => {
    expect(codesOf(output, { epistemic: epistemic(confidence), origins: ['agent:other'] }))
      .toEqual(['POLICY_CONFIDENCE_UNSOURCED']);
  });

  it('is fine where it is low, unsaid, or rests on something outside the fleet', () => {
    expect(codesOf(output, { epistemic: epistemic(0.5) })).toEqual([]);
    expect(codesOf(output, { epistemic: epistemic(null) })).toEqual([]);
    expect(codesOf(output, { epistemic: epistemic(0.9), origins: ['tool:filings'] })).toEqual([]);
  });
});
