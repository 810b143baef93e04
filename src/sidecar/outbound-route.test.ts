// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { edgeRefusal } from '../bus/edge-refusal.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import { receive } from './inbound.ts';
import { send } from './outbound.ts';

/** An edge that carries orders from the retriever to the desk, with or without the right to give them. */
const meshWith = (assigns: string) => sampleMesh([
  ['outside, oispec: oispec/triage.yaml', `outside, ${assigns} oispec: oispec/triage.yaml`],
  ['  edges:\n', '  edges:\n    - { from: triage, to: desk, schemas: [order/1] }\n'],
  ['  schemas:\n', '  schemas:\n    order/1: { type: instruction, schema: { type: object, properties: { text: { type: string } } } }\n'],
]);
const order = { type: 'instruction', schema: 'order/1', to: 'desk', payload: { text: 'sort' } } as const;
const triage = partyOf('triage');

/** What sender's sidecar, bus and recipient's sidecar each say of one order, apart from one another. */
async function codesOf(assigns: string): Promise<readonly (string | null)[]> {
  const mesh = meshWith(assigns);
  const outgoing = {
    ...order, domain: 'billing', metadata: {}, inReplyTo: null, epistemic: null, task: null,
  };
  const speaker = {
    source: 'agent' as const, read: freshContext, values: new ValueIndex(), mandates: [], inputs: [],
    place: { task: 'task', hop: 1, goalHash: null, isOrigin: false },
  };
  const sent = await send(outgoing, speaker, new FakeSidecar('triage', {}, mesh).context);
  const desk = new FakeSidecar('desk', {}, mesh);
  desk.knows(triage);
  const body = desk.bodyFrom(triage, order);
  const received = await receive({ envelope: desk.envelopeFrom(triage, order), chain: null }, desk.context);
  return [sent.code, edgeRefusal(body, mesh)?.code ?? null, received.entries[0]?.code ?? null];
}

describe('an instruction along an edge that carries it', () => {
  test('is refused three times without the right to assign work', async () => {
    const refused = ['SIDECAR_ASSIGN_DENIED', 'BUS_ASSIGN_DENIED', 'BUS_ASSIGN_DENIED'];
    expect(await codesOf('')).toEqual(refused);
    expect(await codesOf('assigns: [payments],')).toEqual(refused);
  });

  test('goes with it', async () => {
    expect(await codesOf('assigns: [desk],')).toEqual([null, null, null]);
  });
});
