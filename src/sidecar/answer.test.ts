// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { bodyOf, FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import type { JsonValue } from '../message/json.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { defaultDataPolicy, defaultScannerSettings, type DataAction } from '../mesh/scanner-settings.ts';
import { answer, repeatReply } from './answer.ts';
import type { InboxMessage } from './ports.ts';

const token = `tok_${'A'.repeat(22)}`;
const mesh: Mesh = {
  ...sampleMesh(),
  tokens: { domain: 'billing', members: new Set(['patient']), sees: new Set(['desk']) },
};
const label = { classification: 'internal', integrity: 'internal', origins: [] } as const;
let executor: FakeSidecar;
let message: InboxMessage;

beforeEach(async () => {
  executor = new FakeSidecar('payments', {}, mesh);
  const triage = partyOf('triage');
  executor.knows(triage);
  const request = {
    type: 'instruction', schema: 'action-request/1',
    payload: { action: 'pay_invoice', parameters: {}, idempotencyKey: 'k', evidence: [] },
  } as const;
  const body = executor.bodyFrom(triage, request);
  message = { body, entries: [], state: 'working', incarnation: null, reply: null };
  await executor.store.receive(message).durable;
  executor.knowledge.answers = (ask) => ({
    ok: true,
    items: (ask.kind === 'tokenise' ? ask.values : []).map(() => ({
      id: message.body.id, value: token, label, origin: '', document: null, part: 0, writtenAt: 1, weight: 1, principals: [],
    })),
  });
});

const outcome = (result: JsonValue): ActionOutcome =>
  ({ action: 'pay_invoice', idempotencyKey: 'k', status: 'DONE', code: null, result });
const payloads = () => executor.link.published.map(({ envelope }) => bodyOf(envelope).payload);

describe('an answer with somebody\'s name in it', () => {
  test('is under tokens, and stays so when it is signed again after it expired', async () => {
    await answer(message, outcome({ patient: 'Ada Example' }), executor.context);
    const reply = executor.store.message(message.body.id)?.reply;
    if (reply === null || reply === undefined) throw new Error('no reply was kept');
    executor.clock.ms += 10 * 60_000;
    await repeatReply(message, reply, executor.context);
    expect(payloads()).toEqual([outcome({ patient: token }), outcome({ patient: token })]);
    expect(JSON.stringify(executor.store.message(message.body.id)?.reply)).not.toContain('Ada');
  });

  test('is put under tokens before it is repeated, where it was kept in clear', async () => {
    await answer(message, outcome({ patient: 'Ada Example' }), executor.context);
    const reply = executor.store.message(message.body.id)?.reply;
    if (reply === null || reply === undefined) throw new Error('no reply was kept');
    executor.clock.ms += 10 * 60_000;
    await repeatReply(message, { ...reply, outcome: outcome({ patient: 'Ada Example' }) }, executor.context);
    expect(payloads().at(-1)).toEqual(outcome({ patient: token }));
  });

  test('waits while tokens cannot be had', async () => {
    executor.knowledge.answers = () => null;
    await answer(message, outcome({ patient: 'Ada Example' }), executor.context);
    expect(payloads()).toEqual([]);
    expect(executor.store.message(message.body.id)?.state).toBe('working');
  });

  test('goes without its result where that never fits under tokens, and the executor goes on', async () => {
    await answer(message, outcome({ patient: 'x'.repeat(4097) }), executor.context);
    expect(payloads()).toEqual([outcome(null)]);
    expect(executor.store.message(message.body.id)?.state).toBe('done');
    expect(executor.recorder.codes('indicator.raised')).toEqual(['KNOWLEDGE_TOKENS_TOO_LARGE']);
  });
});

describe('an answer that goes into another zone', () => {
  const card = '4111 1111 1111 1111';
  const withData = (action: DataAction): FakeSidecar => {
    const data = { ...defaultDataPolicy, financial: { ...defaultDataPolicy.financial, internal: action } };
    return new FakeSidecar('payments', {}, { ...sampleMesh(), scanner: { ...defaultScannerSettings, data } });
  };

  test.each<[string, DataAction, JsonValue, readonly string[]]>([
    ['has data rewritten as a message has', 'redact', { card: '[redacted financial]' }, []],
    ['goes without a result that is refused there, with the code on record', 'block', null, ['SCAN_PERSONAL_DATA']],
    ['keeps what is only noted', 'note', { card }, []],
  ])('%s', async (_, action, result, codes) => {
    executor = withData(action);
    await executor.store.receive(message).durable;
    await answer(message, outcome({ card }), executor.context);
    expect(payloads()).toEqual([outcome(result)]);
    expect(executor.recorder.codes('indicator.raised')).toEqual(codes);
  });
});

test('an answer that the bus refuses for its content goes without its result: the requester hears that it is done', async () => {
  executor.link.answer = () => (executor.link.published.length > 1
    ? { accepted: true } : { accepted: false, code: 'SCAN_PERSONAL_DATA' });
  await answer(message, outcome('1111 1111 is its end'), executor.context);
  expect(payloads()).toEqual([outcome('1111 1111 is its end'), outcome(null)]);
  expect(executor.store.message(message.body.id)?.state).toBe('done');
  expect(executor.recorder.codes('indicator.raised')).toEqual(['SCAN_PERSONAL_DATA']);
});

test('an answer that is too long under the version in force by now is repeated without its result', async () => {
  await answer(message, outcome('x'.repeat(8_000)), executor.context);
  const reply = executor.store.message(message.body.id)?.reply;
  if (reply === null || reply === undefined) throw new Error('no reply was kept');
  const lowered = { ...executor.context, mesh: { ...mesh, limits: { ...mesh.limits, messageBytesMax: 4_096 } } };
  await repeatReply(message, reply, lowered);
  expect(payloads()).toEqual([outcome('x'.repeat(8_000)), outcome(null)]);
  expect(executor.recorder.codes('indicator.raised')).toEqual(['BUS_TOO_LARGE']);
});
