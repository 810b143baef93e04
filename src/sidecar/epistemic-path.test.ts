// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import { AgentApi } from './agent-api.ts';
import { agentRequests } from './agent-requests.ts';
import { AgentMemory } from './memory.ts';
import { AgentSidecar } from './agent-sidecar.ts';
import { reviewSaying } from './review-saying.ts';

const desk = partyOf('desk');
const never = new AbortController().signal;

async function opened(fake: FakeSidecar) {
  const sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
  const session = await sidecar.openSession(await sidecar.mintToken());
  const memory = session.ok ? sidecar.authenticate(session.sessionKey) : null;
  if (memory === null) throw new Error('no session');
  return { sidecar, memory, api: new AgentApi(sidecar) };
}

test('what an agent was told binds what it says, also after its sidecar was killed', async () => {
  const fake = new FakeSidecar('triage');
  fake.knows(desk);
  const { sidecar, memory, api } = await opened(fake);
  const epistemic = { confidence: 0.4, assumptions: [], unknowns: ['costs'] };
  const envelope = fake.envelopeFrom(desk, { epistemic });
  sidecar.deliver(envelope, null, () => undefined);
  await settled();
  const taken = await api.takeMessages(agentRequests.takeMessages.parse({ waitMs: 100 }), memory, never);
  const [message] = taken.body['messages'] as readonly { readonly task: string }[];
  const restored = new AgentMemory(memory.incarnation, fake.store);
  for (const { context } of [memory, restored]) {
    expect(context.beliefs).toMatchObject([{ confidence: 0.4, unknowns: ['costs'] }]);
    const said = (stated: typeof epistemic | null) => reviewSaying(
      { to: 'desk', type: 'data', schema: 'status/1', domain: null, payload: {}, metadata: {}, inReplyTo: null, epistemic: stated, task: null },
      message?.task ?? '', { read: context, inputs: [] }, fake.context,
    )?.findings.map(({ code }) => code);
    expect(said(null)).toEqual(['POLICY_CLAIM_AS_FACT']);
    expect(said({ ...epistemic, confidence: 0.5 })).toEqual(['POLICY_CONFIDENCE_RAISED']);
    expect(said(epistemic)).toEqual([]);
  }
});
