// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { actionOutcomeSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { marksOf } from './watched.ts';

const base = sampleMesh();
const pay = base.actions.get('pay_invoice');
if (pay === undefined) throw new Error('the sample has changed');
const mesh: Mesh = {
  ...base,
  actions: new Map([['pay_invoice', {
    ...pay, assurance: { confidenceMin: null, unknownsMax: null, challengedBy: ['critic'] },
  }]]),
};

function body(change: Partial<EnvelopeBody>): EnvelopeBody {
  return { schema: 'note/1', from: 'a', to: 'b', type: 'data', payload: {}, ...change } as EnvelopeBody;
}

const answer = (from: string, payload: EnvelopeBody['payload']) =>
  marksOf(body({ schema: 'challenge-answer/1', type: 'claim', from, payload }), mesh);

it('marks nothing in a mesh that declares nothing', () => {
  expect(marksOf(body({ type: 'claim' }), base)).toEqual([]);
});

it('takes an answer from challengers only, and only one that says something', () => {
  expect(answer('critic', { standing: 'stands' })).toEqual([{ kind: 'challenge', by: 'critic', standing: 'stands' }]);
  expect(answer('a', { standing: 'stands' })).toEqual([{ kind: 'claim', from: 'a' }]);
  expect(answer('critic', { standing: 'surely' })).toEqual([{ kind: 'claim', from: 'critic' }]);
});

it('asks for an answer to every claim that is not put before a challenger', () => {
  expect(marksOf(body({ type: 'claim' }), mesh)).toEqual([{ kind: 'claim', from: 'a' }]);
  expect(marksOf(body({ type: 'claim', to: 'critic' }), mesh)).toEqual([]);
  expect(marksOf(body({ type: 'data' }), mesh)).toEqual([]);
});

it('marks the end of an action only where something waits for it, and only when it is done', () => {
  const triage = base.agents.get('triage');
  if (triage?.oispec === null || triage === undefined) throw new Error('the sample has changed');
  const order = [{ action: 'pay_invoice', after: ['check_payment'] }];
  const ordered: Mesh = { ...base, agents: new Map([['triage', { ...triage, oispec: { ...triage.oispec, actionOrder: order } }]]) };
  const ended = (action: string, status: string) =>
    marksOf(body({ schema: actionOutcomeSchema, from: 'payments', to: 'triage', payload: { action, status } }), ordered);
  expect(ended('check_payment', 'DONE')).toEqual([{ kind: 'action', action: 'check_payment', by: 'triage' }]);
  expect([ended('check_payment', 'FAILED'), ended('check_payment', 'IN-DOUBT'), ended('pay_invoice', 'DONE')]).toEqual([[], [], []]);
});
