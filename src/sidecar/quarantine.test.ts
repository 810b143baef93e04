// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import { AgentApi } from './agent-api.ts';
import { agentRequests } from './agent-requests.ts';
import { AgentSidecar } from './agent-sidecar.ts';

const desk = partyOf('desk');
const never = new AbortController().signal;

async function started() {
  const fake = new FakeSidecar('triage');
  fake.knows(desk);
  const sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
  return { fake, sidecar, api: new AgentApi(sidecar) };
}

type Started = Awaited<ReturnType<typeof started>>;

async function session({ sidecar }: Started) {
  const opened = await sidecar.openSession(await sidecar.mintToken());
  const memory = opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
  if (memory === null) throw new Error('no session');
  return memory;
}

async function delivered({ fake, sidecar }: Started): Promise<string> {
  await new Promise<void>((durable) => sidecar.deliver(fake.envelopeFrom(desk, {}), null, () => durable()));
  const [message] = fake.store.messages('pending', 10);
  if (message === undefined) throw new Error('nothing was delivered');
  return message.body.id;
}

async function taken({ api }: Started, memory: Awaited<ReturnType<typeof session>>): Promise<readonly unknown[]> {
  const { body } = await api.takeMessages(agentRequests.takeMessages.parse({ waitMs: 50 }), memory, never);
  return (body['messages'] ?? []) as readonly unknown[];
}

const codesOf = ({ fake }: Started) => fake.recorder.codes('indicator.raised');

test('what waits here and follows from a refused message is handed to nobody any more', async () => {
  const one = await started();
  const memory = await session(one);
  const id = await delivered(one);
  one.sidecar.quarantine([id, 'never-heard-of'], []);
  await settled();
  expect(await taken(one, memory)).toEqual([]);
  expect(one.fake.store.message(id)?.state).toBe('refused');
  expect(codesOf(one)).toEqual(['SIDECAR_QUARANTINED']);
  expect(one.sidecar.isLive(memory)).toBe(true);
});

test('what a process had in hand that has ended is not handed to the next one', async () => {
  const one = await started();
  const first = await session(one);
  const id = await delivered(one);
  expect(await taken(one, first)).toHaveLength(1);
  await one.sidecar.endSession('test');
  one.sidecar.quarantine([id], []);
  await settled();
  const second = await session(one);
  expect(await taken(one, second)).toEqual([]);
  expect(one.sidecar.isLive(second)).toBe(true);
});

test('a process that has read it ends, once, however often its sidecar is told', async () => {
  const one = await started();
  const first = await session(one);
  const id = await delivered(one);
  expect(await taken(one, first)).toHaveLength(1);
  one.sidecar.quarantine([id], []);
  await settled();
  expect(one.sidecar.isLive(first)).toBe(false);
  const second = await session(one);
  one.sidecar.quarantine([id], []);
  await settled();
  expect(one.sidecar.isLive(second)).toBe(true);
});

test('a run that is named is answered nothing more from that moment on, and its successor is', async () => {
  const one = await started();
  const { sidecar } = one;
  const opened = await sidecar.openSession(await sidecar.mintToken());
  if (!opened.ok) throw new Error('no session');
  const { sessionKey, incarnation } = opened;
  sidecar.quarantine([], ['somebody else']);
  expect(sidecar.authenticate(sessionKey)).not.toBeNull();
  sidecar.quarantine([], ['somebody else', incarnation]);
  // Nothing was awaited in between.
  expect(sidecar.authenticate(sessionKey)).toBeNull();
  await settled();
  const second = await session(one);
  sidecar.quarantine([], [incarnation]);
  await settled();
  expect(sidecar.isLive(second)).toBe(true);
});
