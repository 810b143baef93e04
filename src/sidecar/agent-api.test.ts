// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, bodyOf, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import type { Label } from '../message/envelope.ts';
import { AgentApi } from './agent-api.ts';
import { AgentSidecar } from './agent-sidecar.ts';
import type { AgentMemory } from './memory.ts';

const open = new AbortController().signal;
const untrusted: Label = { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] };
const desk = partyOf('desk');
const payments = partyOf('payments');

let fake: FakeSidecar;
let sidecar: AgentSidecar;
let api: AgentApi;

beforeEach(async () => {
  fake = new FakeSidecar('triage');
  fake.knows(desk);
  fake.knows(payments);
  sidecar = new AgentSidecar(fake.context);
  api = new AgentApi(sidecar);
  await sidecar.recover();
});

async function session(): Promise<AgentMemory> {
  const opened = await sidecar.openSession(await sidecar.mintToken());
  if (!opened.ok) throw new Error(opened.code);
  const memory = sidecar.authenticate(opened.sessionKey);
  if (memory === null) throw new Error('no session');
  return memory;
}

const take = (memory: AgentMemory, waitMs = 0, closed: AbortSignal = open) =>
  api.takeMessages({ waitMs, max: 64, acknowledge: [] }, memory, closed);
const ask = (memory: AgentMemory, waitMs = 5_000, closed: AbortSignal = open) =>
  api.requestAction(
    {
      to: 'payments',
      action: 'pay_invoice',
      parameters: { invoice: '42', payee: 'ACME', amount: 1 },
      idempotencyKey: 'k',
      evidence: [],
      domain: null,
      task: null,
      waitMs,
    },
    memory,
    closed,
  );
const say = (memory: AgentMemory, change: object = {}) =>
  api.sendMessage(
    {
      to: 'payments',
      type: 'data',
      schema: 'status/1',
      payload: { state: 'open' },
      domain: null,
      task: null,
      inReplyTo: null,
      metadata: {},
      epistemic: null,
      mandate: null,
      ...change,
    },
    memory,
  );
const read = (memory: AgentMemory, change: object = {}) =>
  api.callTool(
    { tool: 'mail', operation: 'read_file', arguments: {}, task: null, idempotencyKey: null, ...change },
    memory,
  );

function outcomeFor(requestId: string, from = payments): string {
  return fake.envelopeFrom(from, {
    schema: 'action-outcome/1',
    inReplyTo: requestId,
    payload: { action: 'pay_invoice', idempotencyKey: 'k', status: 'DONE', code: null, result: null },
  });
}

const messagesIn = (answer: { readonly body: object }): readonly unknown[] =>
  (answer.body as { messages?: readonly unknown[] }).messages ?? [];

describe('a session that ended', () => {
  test('is handed no message, also by a call that waited; the next session gets it', async () => {
    const old = await session();
    const waiting = take(old, 5_000);
    const next = await session();
    sidecar.deliver(fake.envelopeFrom(desk), null, () => undefined);
    expect((await waiting).status).toBe(401);
    await settled();
    expect(messagesIn(await take(next))).toHaveLength(1);
  });

  test('is not told what a tool said that it had asked before', async () => {
    const old = await session();
    fake.ran = async () => {
      await sidecar.endSession('replaced');
      return { result: 'secret', label: untrusted };
    };
    expect(await read(old)).toMatchObject({ status: 401, body: { code: 'SESSION_ENDED' } });
  });

  test('is not told the outcome of its request; the next session finds it in its inbox', async () => {
    const old = await session();
    const asked = ask(old);
    await settled();
    const next = await session();
    sidecar.deliver(outcomeFor(fake.link.bodies()[0]?.id ?? ''), null, () => undefined);
    expect((await asked).status).toBe(401);
    expect(messagesIn(await take(next))).toHaveLength(1);
  });

  test('does not take the next one with it', async () => {
    const old = await session();
    const next = await session();
    const forged = await say(old, { to: 'payments', schema: 'action-outcome/1', payload: {} });
    expect(forged.status).toBe(403);
    expect(sidecar.isLive(next)).toBe(true);
  });
});

describe('what an agent did not get', () => {
  test('waits for its next call when it hung up', async () => {
    const memory = await session();
    const closed = new AbortController();
    const waiting = take(memory, 5_000, closed.signal);
    const other = take(memory, 5_000);
    closed.abort();
    sidecar.deliver(fake.envelopeFrom(desk), null, () => undefined);
    expect(messagesIn(await waiting)).toHaveLength(0);
    expect(messagesIn(await other)).toHaveLength(1);
  });

  test('is given to whoever waits, without a further message to wake it', async () => {
    const memory = await session();
    const waiting = take(memory, 5_000);
    await settled();
    const put = fake.bodyFrom(desk);
    sidecar.putBack([{ body: put, state: 'pending', entries: [], incarnation: null, reply: null }]);
    expect(messagesIn(await waiting)).toHaveLength(1);
  });

  test('waits when its label could not be made durable', async () => {
    const memory = await session();
    sidecar.deliver(fake.envelopeFrom(desk), null, () => undefined);
    await settled();
    const { absorb } = fake.store;
    fake.store.absorb = () => Promise.reject(new Error('disk full'));
    await expect(take(memory)).rejects.toThrow('disk full');
    fake.store.absorb = absorb;
    expect(messagesIn(await take(memory))).toHaveLength(1);
  });

  test('waits when what it acknowledged could not be made durable', async () => {
    const memory = await session();
    sidecar.deliver(fake.envelopeFrom(desk), null, () => undefined);
    await settled();
    const { finish } = fake.store;
    fake.store.finish = () => Promise.reject(new Error('disk full'));
    const asked = { max: 1, waitMs: 0, acknowledge: ['before'] };
    await expect(api.takeMessages(asked, memory, new AbortController().signal)).rejects.toThrow('disk full');
    await expect(api.takeMessages(asked, memory, new AbortController().signal)).rejects.toThrow('disk full');
    fake.store.finish = finish;
    expect(messagesIn(await take(memory))).toHaveLength(1);
  });

  test('of an outcome that came before it was waited for is found', async () => {
    const memory = await session();
    fake.link.answer = async () => {
      const [body] = fake.link.bodies().slice(-1);
      sidecar.deliver(outcomeFor(body?.id ?? ''), null, () => undefined);
      await settled();
      return { accepted: true };
    };
    expect(await ask(memory, 200)).toMatchObject({ status: 200, body: { outcome: { status: 'DONE' } } });
  });

  test('is not the outcome that another agent tells', async () => {
    const memory = await session();
    const asked = ask(memory, 100);
    await settled();
    sidecar.deliver(outcomeFor(fake.link.bodies()[0]?.id ?? '', desk), null, () => undefined);
    expect(await asked).toMatchObject({ status: 202, body: { code: 'HELD' } });
  });
});

describe('the label', () => {
  test('of a message sent while a tool result is made durable is that of the result', async () => {
    const memory = await session();
    fake.ran = () => ({ result: 'read', label: untrusted });
    const reading = read(memory);
    while (memory.context.count === 0) await Promise.resolve();
    await ask(memory, 0);
    const sent = fake.link.bodies()[0];
    expect(sent?.label.integrity).toBe('untrusted');
    expect(sent?.causes.count).toBe(1);
    await reading;
  });

  test('survives a crash right after the result was handed over', async () => {
    const memory = await session();
    fake.ran = () => ({ result: 'read', label: untrusted });
    await read(memory);
    expect(fake.store.context(memory.incarnation)?.label.integrity).toBe('untrusted');
  });
});

describe('the agent is refused', () => {
  test.each<[string, string, (memory: AgentMemory) => Promise<unknown>]>([
    ['SIDECAR_TASK_UNKNOWN', 'REFUSED', (memory) => say(memory, { task: 'x' })],
    ['SIDECAR_TASK_UNKNOWN', 'REFUSED', (memory) => say(memory, { inReplyTo: 'x' })],
    [
      'SIDECAR_NOT_ORIGINATOR',
      'REFUSED',
      (memory) =>
        api.startTask({ to: 'desk', schema: 'invoice/1', prompt: {}, domain: null, metadata: {}, mandate: null }, memory),
    ],
    ['SIDECAR_DOMAIN_UNDECIDED', 'INVALID', (memory) => say(memory, { to: 'desk' })],
    ['SIDECAR_EXECUTOR_PROSE', 'REFUSED', (memory) => say(memory)],
    ['SIDECAR_OUTCOME_FORGED', 'REFUSED', (memory) => say(memory, { schema: 'action-outcome/1' })],
    ['SIDECAR_TOOL_NOT_PERMITTED', 'REFUSED', (memory) => read(memory, { tool: 'bank' })],
    ['SIDECAR_TOOL_NOT_PERMITTED', 'REFUSED', (memory) => read(memory, { operation: 'nothing' })],
  ])('with %s, and hears %s', async (code, heard, refused) => {
    const answer = await refused(await session());
    sidecar.endpointRefusals.flush();
    await settled();
    expect(answer).toMatchObject({ body: { code: heard } });
    expect(fake.recorder.entries.map((entry) => entry.code)).toContain(code);
    expect(fake.link.published).toEqual([]);
    expect(fake.calls).toEqual([]);
  });

  test('a writing operation of its own tool, and an executor every one: SIDECAR_TOOL_NEEDS_ACTION', async () => {
    fake = new FakeSidecar('payments');
    sidecar = new AgentSidecar(fake.context);
    api = new AgentApi(sidecar);
    await sidecar.recover();
    const answer = await read(await session(), { tool: 'bank', operation: 'status' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'REFUSED' } });
    expect(fake.recorder.codes('tool.refused')).toEqual(['SIDECAR_TOOL_NEEDS_ACTION']);
  });

  test.each(['SIDECAR_EXECUTOR_PROSE', 'SIDECAR_OUTCOME_FORGED'])(
    'and its session ends on %s',
    async (code) => {
      const memory = await session();
      await say(memory, code === 'SIDECAR_OUTCOME_FORGED' ? { schema: 'action-outcome/1' } : {});
      expect(sidecar.isLive(memory)).toBe(false);
      expect(fake.recorder.codes('indicator.raised')).toEqual([code]);
    },
  );
});

describe('a token', () => {
  test('opens one session: the second use ends both and is an indicator', async () => {
    const token = await sidecar.mintToken();
    const both = await Promise.all([sidecar.openSession(token), sidecar.openSession(token)]);
    expect(both.map((opened) => (opened.ok ? 'ok' : opened.code))).toEqual([
      'ok',
      'SIDECAR_TOKEN_REUSED',
    ]);
    const [first] = both;
    expect(first?.ok === true && sidecar.authenticate(first.sessionKey)).toBeNull();
    expect(fake.recorder.codes('indicator.raised')).toEqual(['SIDECAR_TOKEN_REUSED']);
  });

  test.each(['', 'x', 'A'.repeat(43)])('that was never given out opens nothing: %j', async (token) => {
    await sidecar.mintToken();
    expect(await sidecar.openSession(token)).toEqual({ ok: false, code: 'SIDECAR_TOKEN_REFUSED' });
  });

  test('of the process before opens nothing', async () => {
    const old = await sidecar.mintToken();
    await sidecar.mintToken();
    expect(await sidecar.openSession(old)).toEqual({ ok: false, code: 'SIDECAR_TOKEN_REFUSED' });
  });
});

test('an envelope that reaches its agent was signed by the sidecar over what it stamped', async () => {
  const memory = await session();
  await ask(memory, 0);
  const body = bodyOf(fake.link.published[0]?.envelope ?? '');
  expect(body).toMatchObject({ from: 'triage', label: { integrity: 'internal' }, hop: 1 });
  expect(fake.link.published[0]?.entry.detail).toMatchObject({ incarnation: memory.incarnation });
});
