// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FakeSidecar } from '../../test/sidecar-fixture/sidecar.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import type { OutputConstraints } from '../mesh/oispec.ts';
import { send } from './outbound.ts';

const none: OutputConstraints = { confidenceWithoutSourceMax: 1, requiredFields: [], prohibitedContent: [] };

/** The sample's desk, with constraints on what it says. */
function meshWith(output: Partial<OutputConstraints>): Mesh {
  const mesh = sampleMesh();
  const desk = mesh.agents.get('desk') as Agent;
  const oispec = mesh.agents.get('triage')?.oispec ?? null;
  const held = oispec === null ? null : { ...oispec, agent: 'desk', output: { ...none, ...output } };
  return { ...mesh, agents: new Map([...mesh.agents, ['desk', { ...desk, oispec: held }]]) };
}

async function say(output: Partial<OutputConstraints>, text: string): Promise<readonly (string | null)[]> {
  const fake = new FakeSidecar('desk', {}, meshWith(output));
  const sent = await send(
    {
      to: 'triage', type: 'data', schema: 'invoice/1', domain: 'billing', payload: { text }, metadata: {},
      inReplyTo: null, epistemic: null, task: null,
    },
    {
      source: 'agent', read: freshContext, values: new ValueIndex(), mandates: [], inputs: [],
      place: { task: '01K74F0Z00ABCDEFGHJKMNPQRS', hop: 1, goalHash: null, isOrigin: false },
    },
    fake.context,
  );
  return [sent.outcome, sent.code];
}

test('what a message has to say and must not say is held against it before it leaves', async () => {
  expect(await say({ requiredFields: ['source'] }, 'fine')).toEqual(['NO-GO', 'POLICY_OUTPUT_FIELD_MISSING']);
  expect(await say({ prohibitedContent: ['risk free'] }, 'It is Risk Free')).toEqual(['NO-GO', 'POLICY_OUTPUT_PROHIBITED']);
  expect(await say({ prohibitedContent: ['risk free'] }, 'fine')).toEqual(['GO', null]);
});
