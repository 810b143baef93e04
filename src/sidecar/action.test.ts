// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import type { Operator } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import { withoutResult } from '../tool/gate-outcome.ts';
import { Allotments } from './allotments.ts';
import { AgentSidecar } from './agent-sidecar.ts';

const triage = partyOf('triage');
const { publicKey } = generateKeyPairSync('ed25519');
const publicJwk = publicKey.export({ format: 'jwk' }) as JsonObject;
let fake: FakeSidecar;
let sidecar: AgentSidecar;
const bob = operatorKey();
const operators = new Map<string, Operator>([
  ['alice', { name: 'alice', publicKey: publicJwk }],
  ['bob', { name: 'bob', publicKey: bob.publicJwk }],
]);

beforeEach(async () => {
  fake = new FakeSidecar('payments', {
    operators: () => operators,
  });
  fake.knows(triage);
  sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
});

async function ask(request: Parameters<FakeSidecar['requestFrom']>[1]): Promise<void> {
  sidecar.deliver(fake.requestFrom(triage, request), null, () => undefined);
  await settled();
}

function outcomes(): readonly ActionOutcome[] {
  return fake.link.bodies().map((body) => body.payload as unknown as ActionOutcome);
}

function writes(): typeof fake.calls {
  return fake.calls.filter(({ write }) => write);
}

describe('an allotment', () => {
  const ends = (): readonly string[] => fake.link.reported.map(({ end }) => end);

  test('is asked for with the amounts that caps count, before the tool runs', async () => {
    fake.ran = ({ write }) => {
      if (write) expect(fake.link.asked).toHaveLength(1);
      return {};
    };
    await ask({ key: 'k', parameters: { amount: 5000 } });
    expect(fake.link.asked).toMatchObject([
      { action: 'pay_invoice', requester: 'triage', amounts: { amount: 5000 }, released: false },
    ]);
    expect(outcomes()).toMatchObject([{ status: 'DONE' }]);
    expect(ends()).toEqual([]);
  });

  test('that is refused keeps the tool from running', async () => {
    fake.link.allots = () => ({ outcome: 'refused', code: 'BOUNDS_EXCEEDED', bound: 'a' });
    await ask({ key: 'k' });
    expect(writes()).toEqual([]);
    expect(fake.recorder.codes('request.reviewed')).toEqual(['BOUNDS_EXCEEDED']);
    expect(ends()).toEqual([]);
  });

  test('cannot be had while its owner is away, for whatever a cap counts', async () => {
    fake.link.allots = () => null;
    await ask({ key: 'k' });
    expect(writes()).toEqual([]);
    expect(fake.recorder.codes('request.reviewed')).toEqual(['BOUNDS_OWNER_UNREACHABLE']);
  });

  test('is not asked for while a report of an earlier run was not heard', async () => {
    fake.ran = () => ({ status: 'FAILED', code: 'TOOL_FAILED' });
    fake.link.hears = () => false;
    await ask({ key: 'k' });
    await ask({ key: 'k' });
    expect(fake.link.asked).toHaveLength(1);
    expect(fake.recorder.codes('request.reviewed')).toEqual([null, 'BOUNDS_OWNER_UNREACHABLE']);
    fake.link.hears = () => true;
    await ask({ key: 'k' });
    expect(ends()).toEqual(['failed', 'failed']);
  });

  test('is not asked for what is refused anyway, nor for an amount that is none', async () => {
    fake.complies = () => 'NO-GO';
    await ask({ key: 'k1' });
    fake.complies = () => 'GO';
    for (const [index, amount] of [-1, '5', 1e300, null].entries()) {
      await ask({ key: `bad${index}`, parameters: { amount } });
    }
    expect(fake.link.asked).toEqual([]);
    expect(fake.recorder.codes('request.reviewed').slice(1))
      .toEqual(Array.from({ length: 4 }, () => 'BOUNDS_AMOUNT_INVALID'));
  });

  test('holds the action for a person beyond its share, and is asked for anew then', async () => {
    fake.link.allots = ({ released }) => released
      ? { outcome: 'granted', probe: false }
      : { outcome: 'escalate', code: 'BOUNDS_HALF_REACHED', bound: 'a' };
    await ask({ key: 'k' });
    expect(fake.link.held).toMatchObject([{ reasons: ['BOUNDS_HALF_REACHED'] }]);
    expect(writes()).toEqual([]);
  });

  test('is given back while the request waits for people for another reason', async () => {
    fake.complies = () => 'ESCALATE';
    await ask({ key: 'k' });
    expect(ends()).toEqual(['not-run']);
    expect(writes()).toEqual([]);
  });

  test.each([
    [{ status: 'REFUSED', code: 'TOOL_KEY_REUSED' }, 'not-run'],
    [{ status: 'FAILED', code: 'TOOL_FAILED' }, 'failed'],
    [{ status: 'IN-DOUBT', code: 'TOOL_TIMEOUT' }, 'in-doubt'],
  ] as const)('hears of %o', async (ran, end) => {
    fake.ran = () => ran;
    await ask({ key: 'k' });
    expect(ends()).toEqual([end]);
  });

  test('hears of a good end only where a breaker probes', async () => {
    fake.link.allots = () => ({ outcome: 'granted', probe: true });
    await ask({ key: 'k' });
    expect(ends()).toEqual(['done']);
  });

  test('of a request that a crash interrupted comes back when it is refused afterwards', async () => {
    const envelope = fake.requestFrom(triage, { key: 'k' });
    fake.ran = ({ write }) => (write ? new Promise(() => undefined) : {});
    sidecar.deliver(envelope, null, () => undefined);
    await settled();
    const [id] = fake.link.asked.map(({ holder }) => holder);
    fake.database.flush();
    const restarted = new Allotments({
      agent: 'payments', mesh: fake.context.mesh, store: fake.store, link: fake.link, clock: fake.clock,
    });
    const { body } = fake.store.message(id ?? '') ?? {};
    const manifest = fake.context.mesh.actions.get('pay_invoice');
    const parsed = parseActionRequest(body?.payload ?? null);
    if (body === undefined || manifest === undefined || !parsed.ok) throw new Error('no request');
    await restarted.abandon(body, parsed.request, manifest, []);
    await restarted.abandon(body, parsed.request, manifest, []);
    await settled();
    expect(fake.link.reported).toMatchObject([{ end: 'not-run', ask: { holder: id } }]);
  });
});

describe('a request whose call ended before a crash', () => {
  const done = { ...withoutResult('FAILED', null), status: 'DONE' as const, result: { reference: 'r' } };
  const doubt = withoutResult('IN-DOUBT', 'TOOL_INTERRUPTED');

  test('is answered with that end, whatever would be said of it now', async () => {
    fake.complies = () => 'NO-GO';
    for (const [decision, status] of [[done, 'DONE'], [doubt, 'IN-DOUBT']] as const) {
      fake.ended = () => ({ decision, mayRepeat: false, intent: null });
      await ask({ key: status });
      expect(outcomes().at(-1)).toMatchObject({ status, result: decision.result });
    }
    expect(fake.calls).toEqual([]);
  });

  test('is asked for by its own id: the key of another message says nothing', async () => {
    const asked: unknown[] = [];
    fake.ended = (request) => {
      asked.push(request);
      return null;
    };
    await ask({ key: 'k' });
    const requestId = writes()[0]?.id;
    expect(requestId).toBeDefined();
    expect(asked).toEqual([{ requester: 'triage', idempotencyKey: 'k', requestId }]);
  });

  test('may be called again where the tool takes the key, and is never called refused', async () => {
    fake.ended = () => ({ decision: doubt, mayRepeat: true, intent: null });
    await ask({ key: 'k' });
    fake.complies = () => 'NO-GO';
    await ask({ key: 'l' });
    expect(outcomes().map(({ status }) => status)).toEqual(['DONE', 'IN-DOUBT']);
    expect(writes()).toHaveLength(1);
  });

  test('stays in doubt and charged when the gate refuses to call again', async () => {
    fake.ended = () => ({ decision: doubt, mayRepeat: true, intent: null });
    fake.ran = () => ({ status: 'REFUSED', code: 'TOOL_STORE_UNAVAILABLE' });
    await ask({ key: 'k' });
    expect(outcomes()).toMatchObject([{ status: 'IN-DOUBT' }]);
    expect(fake.link.reported).toEqual([]);
  });
});

describe('a request that is taken up again', () => {
  test('asks for the allotment that it was given before', async () => {
    const { saveReply } = fake.store;
    fake.store.saveReply = () => Promise.reject(new Error('crash'));
    await ask({ key: 'k', parameters: { amount: 5000 } });
    fake.store.saveReply = saveReply;
    fake.database.flush();
    sidecar = new AgentSidecar(fake.context);
    await sidecar.recover();
    await settled();
    expect(outcomes().map((outcome) => outcome.status)).toEqual(['DONE']);
    expect(fake.link.asked[1]).toEqual(fake.link.asked[0]);
  });

  test('is answered with the label of the tool\'s result, also under another identity', async () => {
    fake.ran = () => ({
      result: { reference: 'r' },
      label: { classification: 'confidential', integrity: 'untrusted', origins: ['tool:bank'] },
    });
    fake.link.answer = () => ({ accepted: false, code: 'SIDECAR_BUS_UNREACHABLE' });
    await ask({ key: 'k' });
    fake.clock.ms += 600_000;
    fake.link.answer = () => ({ accepted: true });
    sidecar.repeatAnswers();
    await settled();
    const [first, again] = fake.link.bodies();
    expect(again?.label).toEqual(first?.label);
    expect(again?.label).toMatchObject({ classification: 'confidential', integrity: 'untrusted' });
    expect(again?.payload).toEqual(first?.payload);
    expect(again?.expiresAt).toBe(fake.clock.ms + 60_000);
    expect(again?.id).not.toBe(first?.id);
  });
});

describe('an answer', () => {
  test.each(['BUS_QUEUE_FULL', 'BUS_RATE_LIMITED', 'BUS_UNAVAILABLE', 'SIDECAR_BUS_UNREACHABLE'])(
    'that is refused with %s is offered again, and others are worked on meanwhile',
    async (code) => {
      fake.link.answer = () => ({ accepted: false, code });
      await ask({ key: 'k1' });
      fake.link.answer = () => ({ accepted: true });
      await ask({ key: 'k2' });
      sidecar.repeatAnswers();
      await settled();
      expect(outcomes().map((outcome) => outcome.idempotencyKey)).toEqual(['k1', 'k2', 'k1']);
      expect(fake.calls.filter((call) => call.action !== null)).toHaveLength(2);
      expect(fake.store.messages('working', 10)).toEqual([]);
    },
  );

  test('that is refused for good is not', async () => {
    fake.link.answer = () => ({ accepted: false, code: 'BUS_EDGE_DENIED' });
    await ask({ key: 'k1' });
    sidecar.repeatAnswers();
    await settled();
    expect(outcomes()).toHaveLength(1);
  });
});
