// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleFiles, sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar } from '../../test/sidecar-fixture/sidecar.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import type { Outgoing } from '../message/envelope.ts';
import { sendOrToStandby } from './standby-route.ts';

const reader = '    triage: { role: RETRIEVER, zone: outside, oispec: oispec/triage.yaml, tools: [mail] }\n';
const withStandby = (edge: string) => sampleMesh([
  [reader, `${reader}    stand_in: { role: RETRIEVER, zone: outside }\n`],
  ['  edges:\n', `  edges:\n${edge}`],
  ['  mode: enforce', '  workflows: { mail: { agents: [triage], pace: { standbys: { triage: stand_in } } } }\n  mode: enforce'],
]);
const edge = '    - { from: desk, to: stand_in, schemas: [invoice/1] }\n';
const outgoing = {
  to: 'triage', type: 'data', schema: 'invoice/1', domain: 'billing', payload: { text: 'an invoice' }, metadata: {},
  inReplyTo: null, epistemic: null, task: null,
} as const;
const speaker = {
  source: 'agent' as const, read: freshContext, values: new ValueIndex(), mandates: [], inputs: [],
  place: { task: '01JD3K5V7Q8R9S0T1V2W3X4Y5Z', hop: 1, goalHash: null, isOrigin: false },
};

let fake: FakeSidecar;
const stopped = new Set(['triage']);
const route = (change: Partial<Outgoing> = {}) => sendOrToStandby({ ...outgoing, ...change }, speaker, fake.context);
const executor = '      tools: [bank]\n      isolation: uid\n';
const request = '    - { from: triage, to: payments, schemas: [status/1], may_request: [pay_invoice, check_payment] }\n';
/** A mesh where another executor stands in for the one that does `check_payment`, which writes or reads. */
const withExecutors = (write: boolean) => sampleMesh([
  [executor, `${executor}    second: { role: EXECUTOR, zone: core, oispec: oispec/second.yaml, tools: [bank], isolation: uid }\n`],
  [request, `${request}${request.replace('to: payments', 'to: second')}`],
  ['      write: false\n', `      write: ${write}\n`],
  ['  mode: enforce', '  workflows: { pay: { agents: [payments], pace: { standbys: { payments: second } } } }\n  mode: enforce'],
], { '/mesh/oispec/second.yaml': (sampleFiles['/mesh/oispec/payments.yaml'] ?? '').replaceAll('payments', 'second') });
/** Asks an executor that PACE stops while the call is with it. */
const ask = (write: boolean) => {
  fake = new FakeSidecar('triage', {}, withExecutors(write));
  fake.link.answer = () => fake.link.bodies().at(-1)?.to === 'payments'
    ? { accepted: false, code: 'PACE_RECIPIENT_STOPPED' } : { accepted: true };
  return route({
    to: 'payments', type: 'instruction', schema: actionRequestSchema,
    payload: { action: 'check_payment', parameters: { invoice: '17' }, idempotencyKey: 'key-1', evidence: [] },
  });
};

beforeEach(() => {
  fake = new FakeSidecar('desk', {}, withStandby(edge));
  stopped.clear();
  stopped.add('triage');
  fake.link.answer = () => stopped.has(fake.link.bodies().at(-1)?.to ?? '')
    ? { accepted: false, code: 'PACE_RECIPIENT_STOPPED' } : { accepted: true };
});

describe('a message for an agent that PACE stopped', () => {
  test('is refused where the mesh file declares no standby, and sent once', async () => {
    fake = new FakeSidecar('desk');
    fake.link.answer = () => ({ accepted: false, code: 'PACE_RECIPIENT_STOPPED' });
    expect(await route()).toMatchObject({ outcome: 'NO-GO', code: 'PACE_RECIPIENT_STOPPED', to: 'triage' });
    expect(fake.link.published).toHaveLength(1);
  });

  test('is not sent on for any other refusal: nobody gets what was not meant for them', async () => {
    for (const code of ['BUS_EDGE_DENIED', 'BUS_CLEARANCE_EXCEEDED', 'PACE_STOPPED', 'PACE_DRAINING']) {
      fake.link.answer = () => ({ accepted: false, code });
      expect(await route()).toMatchObject({ code, to: 'triage' });
    }
    expect(fake.link.bodies().map(({ to }) => to)).toEqual(['triage', 'triage', 'triage', 'triage']);
  });

  test('is refused as it was where the standby is stopped as well', async () => {
    stopped.add('stand_in');
    expect(await route()).toMatchObject({ outcome: 'NO-GO', code: 'PACE_RECIPIENT_STOPPED', to: 'triage' });
    expect(fake.link.published).toHaveLength(2);
  });

  test('goes to its standby as a message of its own, and says so on record', async () => {
    expect(await route()).toMatchObject({ outcome: 'GO', to: 'stand_in' });
    const [first, second] = fake.link.bodies();
    expect([first?.to, second?.to]).toEqual(['triage', 'stand_in']);
    expect(second?.id).not.toBe(first?.id);
    expect(fake.link.published.map(({ entry }) => entry.detail['insteadOf'])).toEqual([undefined, 'triage']);
  });

  test('is not sent on where it asks for a write: the stopped one may have begun it, under the same key', async () => {
    expect(await ask(true))
      .toMatchObject({ outcome: 'NO-GO', code: 'PACE_RECIPIENT_STOPPED', to: 'payments', standby: 'second' });
    expect(fake.link.bodies().map(({ to }) => to)).toEqual(['payments']);
  });

  test('is sent on where it asks for an action that only reads', async () => {
    expect(await ask(false)).toMatchObject({ outcome: 'GO', to: 'second' });
    expect(fake.link.bodies().map(({ to }) => to)).toEqual(['payments', 'second']);
  });

  test('goes where it is addressed while nobody is stopped', async () => {
    stopped.clear();
    expect(await route()).toMatchObject({ outcome: 'GO', to: 'triage' });
    expect(fake.link.published).toHaveLength(1);
  });
});
