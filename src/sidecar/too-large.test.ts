// SPDX-License-Identifier: Apache-2.0
// A node drops the line of whoever sends what is larger than the mesh allows, and takes it for compromised.
import { expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { bodyOf, FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { isWithin, verifyEnvelope } from '../identity/verify-envelope.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import { answer } from './answer.ts';
import { send } from './outbound.ts';

const messageBytesMax = 4096;
const mesh = { ...sampleMesh(), limits: { ...sampleMesh().limits, messageBytesMax } };
const speaker = {
  source: 'agent' as const, read: freshContext, values: new ValueIndex(), mandates: [], inputs: [],
  place: { task: '01JD3K5V7Q8R9S0T1V2W3X4Y5Z', hop: 1, goalHash: null, isOrigin: false },
};

test('a message is refused by its own sidecar from the first byte that is too many', async () => {
  const sidecar = new FakeSidecar('triage', {}, mesh);
  const triage = partyOf('triage');
  const codes = new Set<string | null>();
  for (let length = 2_900; length < 3_900; length += 1) {
    const { code } = await send({
      to: 'desk', type: 'data', schema: 'invoice/1', domain: 'billing', payload: { text: 'x'.repeat(length) },
      metadata: {}, inReplyTo: null, epistemic: null, task: null,
    }, speaker, sidecar.context);
    codes.add(code);
    if (code !== 'BUS_TOO_LARGE') continue;
    const { entries } = sidecar.recorder;
    expect(entries.at(-1)).toMatchObject({ kind: 'message.refused', code: 'BUS_TOO_LARGE' });
    break;
  }
  expect([...codes]).toEqual([null, 'BUS_TOO_LARGE']);
  const largest = sidecar.link.published.at(-1)?.envelope ?? '';
  const bytes = Buffer.from(largest.split('.')[1] ?? '', 'base64url').length;
  expect(bytes).toBe(messageBytesMax);
  expect([isWithin(largest, bytes), isWithin(largest, bytes - 1), isWithin(largest, Number.NaN)]).toEqual([true, false, false]);
  const read = verifyEnvelope(largest, () => triage.peer, { bytesMax: bytes - 1, depthMax: 32 });
  expect(read).toEqual({ ok: false, code: 'IDENTITY_ENVELOPE_TOO_LARGE' });
});

test('a result that no message holds stays where it is: the requester hears that it was done', async () => {
  const executor = new FakeSidecar('payments', {}, mesh);
  const triage = partyOf('triage');
  executor.knows(triage);
  const body = executor.bodyFrom(triage, {
    type: 'instruction', schema: 'action-request/1',
    payload: { action: 'pay_invoice', parameters: {}, idempotencyKey: 'k', evidence: [] },
  });
  const message = { body, entries: [], state: 'working', incarnation: null, reply: null } as const;
  await executor.store.receive(message).durable;
  const done = { action: 'pay_invoice', idempotencyKey: 'k', status: 'DONE', code: null } as const;
  await answer(message, { ...done, result: 'x'.repeat(messageBytesMax) }, executor.context);
  expect(executor.link.published.map(({ envelope }) => bodyOf(envelope).payload)).toEqual([{ ...done, result: null }]);
  expect(executor.recorder.codes('indicator.raised')).toEqual(['BUS_TOO_LARGE']);
  expect(executor.store.message(body.id)?.state).toBe('done');
});
