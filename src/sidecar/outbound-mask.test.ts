// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar } from '../../test/sidecar-fixture/sidecar.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import { defaultDataPolicy, defaultScannerSettings } from '../mesh/scanner-settings.ts';
import type { Outgoing } from '../message/envelope.ts';
import { createScanner } from '../scanner/scan.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import { send } from './outbound.ts';

const iban = 'DE89 3704 0044 0532 0130 00';

function sidecarThat(action: 'redact' | 'tokenise'): FakeSidecar {
  const mesh = sampleMesh();
  const financial = { ...defaultDataPolicy.financial, internal: action };
  const scanner = createScanner({
    schemas: createSchemaRegistry(mesh.schemas.values()),
    limits: { depthMax: 32, membersMax: 20_000, stringLengthMax: 1e6, bytesMax: 1e6 },
    patterns: [],
    settings: { ...defaultScannerSettings, data: { ...defaultDataPolicy, financial } },
    digestKey: new Uint8Array(32).fill(5),
    nowUs: () => 0,
  });
  return new FakeSidecar('triage', { scanner });
}

function sendFrom(fake: FakeSidecar, changes: Partial<Outgoing>) {
  const outgoing: Outgoing = {
    to: 'desk', type: 'data', schema: 'invoice/1', domain: 'billing', payload: { text: `to ${iban}` },
    metadata: {}, inReplyTo: null, epistemic: null, task: null, ...changes,
  };
  const speaker = {
    source: 'agent' as const,
    read: freshContext,
    values: new ValueIndex(),
    place: { task: 'task', hop: 1, goalHash: null, isOrigin: false },
    mandates: [],
    inputs: [],
  };
  return send(outgoing, speaker, fake.context);
}

test('what is signed and recorded is the rewritten payload, and the entry counts the places', async () => {
  const fake = sidecarThat('redact');
  expect((await sendFrom(fake, {})).code).toBeNull();
  expect(fake.link.bodies()[0]?.payload).toEqual({ text: 'to [redacted financial]' });
  expect(fake.link.published[0]?.entry.detail['masked']).toBe(1);
  expect(JSON.stringify(fake.link.published)).not.toContain('3704');
});

test('what stands beside the payload is rewritten, too, and a secret there is refused', async () => {
  const fake = sidecarThat('redact');
  const epistemic = { confidence: 0.5, assumptions: [`paid from ${iban}`], unknowns: [iban] };
  const beside = { payload: { text: 'hello' }, metadata: { note: iban, other: 'left' }, epistemic };
  expect((await sendFrom(fake, beside)).code).toBeNull();
  const written = '[redacted financial]';
  expect(fake.link.bodies()[0]).toMatchObject({
    payload: { text: 'hello' }, metadata: { note: written, other: 'left' },
    epistemic: { confidence: 0.5, assumptions: [`paid from ${written}`], unknowns: [written] },
  });
  expect(fake.link.published[0]?.entry.detail['masked']).toBe(3);
  const metadata = { note: 'key AKIAQYLPMN5HHHFPZAM2' };
  expect(await sendFrom(fake, { metadata })).toMatchObject({ outcome: 'NO-GO', code: 'SCAN_SECRET' });
});

test('what could not be rewritten to its end does not leave: addresses before the data use up the work', async () => {
  const fake = sidecarThat('redact');
  const addresses = Array.from({ length: 2_200 }, (_, index) => `a${index}@b.io`).join(' ');
  expect(await sendFrom(fake, { payload: { text: `${addresses} to ${iban}` } })).toMatchObject({ outcome: 'NO-GO', code: 'SCAN_BUDGET' });
  expect(fake.link.published).toEqual([]);
});

test('a request for an action is not rewritten: a person is asked', async () => {
  const fake = sidecarThat('tokenise');
  const payload = {
    action: 'pay_invoice', parameters: { invoice: iban }, idempotencyKey: 'key', evidence: [],
  };
  const sent = await sendFrom(fake, {
    to: 'payments', type: 'instruction', schema: 'action-request/1', payload,
  });
  expect(sent).toMatchObject({ outcome: 'ESCALATE', code: 'SCAN_PERSONAL_DATA' });
  expect(fake.link.bodies()[0]?.payload).toEqual(payload);
});
