// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { freshContext, type AgentContext } from '../label/context.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import type { Outgoing } from '../message/envelope.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { epistemicOf } from './told.ts';

const base = sampleMesh();
const pay = base.actions.get('pay_invoice');
if (pay === undefined) throw new Error('the sample has changed');
const assurance = { confidenceMin: 0.7, unknownsMax: 0, challengedBy: [] };
const mesh: Mesh = { ...base, actions: new Map([...base.actions, ['pay_invoice', { ...pay, assurance }]]) };

const unknowns = Array.from({ length: 40 }, (_, index) => `unknown-${index}`);
const read: AgentContext = {
  ...freshContext,
  beliefs: [{ task: 't', told: 1, confidence: 0.4, unknowns, assumptions: ['a'], local: [], roots: [], independent: 0, evidence: 3 }],
};
const sure = { confidence: 1, assumptions: [], unknowns: [] };

function asking(action: string, schema = actionRequestSchema): Outgoing {
  const payload = { action, parameters: {}, idempotencyKey: 'k', evidence: [] };
  return {
    to: 'payments', type: 'instruction', schema, domain: null, payload, metadata: {}, inReplyTo: null, task: null, epistemic: sure,
  };
}

test('of a request the sidecar says how sure it is, and the agent has no say in it', () => {
  expect(epistemicOf(asking('pay_invoice'), 't', read, mesh)).toEqual({ confidence: 0.4, assumptions: [], unknowns: unknowns.slice(0, 32) });
  expect(epistemicOf(asking('pay_invoice'), 'other', read, mesh)).toBeNull();
  expect(epistemicOf(asking('pay_invoice'), 't', read, base)).toMatchObject({ confidence: 0.4 });
  expect(epistemicOf(asking('check_payment'), 't', read, mesh)).toBeNull();
  expect(epistemicOf(asking('made_up'), 't', read, mesh)).toBeNull();
});

test('of everything else the agent says it, and is held to it elsewhere', () => {
  expect(epistemicOf(asking('pay_invoice', 'status/1'), 't', read, mesh)).toEqual(sure);
});
