// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { actionOutcomeSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Workflow } from '../mesh/workflow.ts';
import { stepOf } from './steps.ts';
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

describe('what is unclear', () => {
  const order = { id: 'order/1', type: 'instruction', schema: {}, unclearWithout: ['/criteria', '/limit/amount'] } as const;
  const vague: Mesh = { ...base, schemas: new Map([...base.schemas, ['order/1', order]]) };
  const told = (payload: EnvelopeBody['payload']) =>
    marksOf(body({ schema: 'order/1', type: 'instruction', payload }), vague);
  const unclear = [{ kind: 'unclear', from: 'a', to: 'b' }];

  it.each([
    ['absent', {}],
    ['null', { criteria: null, limit: { amount: 5 } }],
    ['blank', { criteria: '  ', limit: { amount: 5 } }],
    ['an empty list', { criteria: [], limit: { amount: 5 } }],
    ['missing further down', { criteria: 'paid once', limit: {} }],
  ])('is an instruction whose criteria are %s', (_what, payload) => {
    expect(told(payload)).toEqual(unclear);
  });

  it('is none that says everything, also with a zero', () => {
    expect(told({ criteria: 'paid once', limit: { amount: 0 } })).toEqual([]);
  });

  it('is asked about by whoever it reached, and closed by an answer that says something', () => {
    expect(marksOf(body({ schema: 'clarification/1', payload: { reason: 'missing' } }), vague))
      .toEqual([{ kind: 'clarification', by: 'a', of: 'b' }]);
    const answer = (given: EnvelopeBody['payload']) =>
      marksOf(body({ schema: 'clarification-answer/1', type: 'instruction', payload: given }), vague);
    expect(answer({ answer: 'both' })).toEqual([{ kind: 'clarified', agent: 'b', by: 'a' }]);
    expect([answer({ answer: ' ' }), answer({ answer: null }), answer('yes')]).toEqual([[], [], []]);
    expect(answer({ answer: 0 })).toHaveLength(1);
  });

  it('is not looked for where nobody declares it', () => {
    expect(marksOf(body({ schema: 'clarification/1', payload: {} }), base)).toEqual([]);
    const asks: Mesh = { ...base, edges: base.edges.map((edge) => ({ ...edge, schemas: ['clarification/1'] })) };
    expect(marksOf(body({ schema: 'clarification/1', payload: {} }), asks)).toHaveLength(1);
  });
});

describe('a step that judges may have to look at', () => {
  const workflow: Workflow = {
    name: 'w', id: 'w', version: '1', goal: 'g', agents: ['a'], digest: 'd', sums: [], conflicts: [], criteria: [],
    phases: [{ id: 'p', endsWith: { kind: 'message', schema: 'note/1', from: null }, criteria: [], judgedBy: ['intent'] }],
  };
  const judged: Mesh = { ...base, workflows: new Map([['w', workflow]]) };
  const said = (change: Partial<EnvelopeBody>, mesh = judged) => stepOf(body({ domain: 'billing', ...change }), mesh);

  it('is what an agent of the workflow says, and no outcome of an action', () => {
    expect(said({ payload: { text: 'x' } })).toEqual({ about: 'note/1', from: 'a', to: 'b', content: { text: 'x' } });
    expect([said({ from: 'b' }), said({ schema: actionOutcomeSchema }), said({}, base)]).toEqual([null, null, null]);
    expect(said({ from: 'desk', to: 'a', payload: {} })).toMatchObject({ isGoal: true, content: {} });
    expect(said({ from: 'desk', to: 'b' })).toBeNull();
  });

  it('shows nothing of what is sealed, or too long', () => {
    const sealed: Mesh = { ...judged, domains: new Map([...judged.domains].map(([name, one]) => [name, { ...one, tier: 'RETRIEVAL' }])) };
    expect(said({ payload: { text: 'x' } }, sealed)?.content).toBeNull();
    expect(said({ domain: 'nowhere', payload: { text: 'x' } })?.content).toBeNull();
    expect(said({ payload: { text: 'x'.repeat(3_000) } })?.content).toBeNull();
  });
});
