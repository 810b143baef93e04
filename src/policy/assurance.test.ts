// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Assurance } from '../mesh/mesh.ts';
import type { Epistemic } from '../message/envelope.ts';
import { assuranceFindings } from './assurance.ts';

const pay = sampleMesh().actions.get('pay_invoice');
if (pay === undefined) throw new Error('the sample has changed');

const codes = (told: Epistemic | null, change: Partial<Assurance> = {}) =>
  assuranceFindings({ ...pay, assurance: { confidenceMin: 0.7, unknownsMax: 0, challengedBy: [], ...change } }, told)
    .map(({ code }) => code);
const said = (confidence: number | null, unknowns: readonly string[] = []): Epistemic =>
  ({ confidence, assumptions: [], unknowns });

it('refuses what is not sure enough, what nobody said how sure it is, and NaN', () => {
  const both = ['POLICY_ASSURANCE_CONFIDENCE', 'POLICY_ASSURANCE_UNKNOWNS'];
  expect(codes(null)).toEqual(both);
  expect(codes(said(null))).toEqual(['POLICY_ASSURANCE_CONFIDENCE']);
  expect(codes(said(0.69))).toEqual(['POLICY_ASSURANCE_CONFIDENCE']);
  expect(codes(said(Number.NaN))).toEqual(['POLICY_ASSURANCE_CONFIDENCE']);
  expect(codes(said(0.4, ['who']))).toEqual(both);
});

it('asks only for what the action declares', () => {
  expect(codes(said(0.7))).toEqual([]);
  expect(codes(said(0.1, ['who']), { confidenceMin: null, unknownsMax: 1 })).toEqual([]);
  expect(codes(null, { confidenceMin: null, unknownsMax: null })).toEqual([]);
  expect(assuranceFindings(pay, null)).toEqual([]);
});
