// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import { signEnvelope } from '../identity/sign-envelope.ts';
import { AgentSidecar } from './agent-sidecar.ts';

const desk = partyOf('desk');
const triage = partyOf('triage');

const unheeded: unknown[] = [];
const note = (failure: unknown): void => void unheeded.push(failure);
process.on('unhandledRejection', note);
afterEach(() => expect(unheeded.splice(0)).toEqual([]));

async function start(agent: string): Promise<{ fake: FakeSidecar; sidecar: AgentSidecar }> {
  const fake = new FakeSidecar(agent);
  fake.knows(desk);
  fake.knows(triage);
  const sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
  return { fake, sidecar };
}

async function session(sidecar: AgentSidecar) {
  const opened = await sidecar.openSession(await sidecar.mintToken());
  const memory = opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
  if (memory === null) throw new Error('no session');
  return memory;
}

describe('a flood', () => {
  test('of action requests is held back at the bus while the tool is slow', async () => {
    const { fake, sidecar } = await start('payments');
    const tool = Promise.withResolvers<object>();
    fake.ran = () => tool.promise;
    let taken = 0;
    for (let number = 0; number < 400; number += 1) {
      const envelope = fake.requestFrom(triage, { key: `k${number}` });
      sidecar.deliver(envelope, null, () => void (taken += 1));
    }
    await settled();
    expect(taken).toBeLessThanOrEqual(256);
    tool.resolve({});
    while (taken < 400) await settled();
    while (fake.link.published.length < 400) await settled();
    expect(fake.calls.filter((call) => call.action !== null).length).toBe(400);
  });

  test('of large messages is held back at the bus before it fills the memory', async () => {
    const { fake, sidecar } = await start('triage');
    let taken = 0;
    const text = 'x'.repeat(200_000);
    for (let number = 0; number < 400; number += 1) {
      const envelope = fake.envelopeFrom(desk, { payload: { text } });
      sidecar.deliver(envelope, null, () => void (taken += 1));
    }
    while (taken < 336) await settled();
    await settled();
    expect(taken).toBeLessThan(345);
    const memory = await session(sidecar);
    let got = 0;
    while (got < 400) {
      got += (await sidecar.take(64, AbortSignal.timeout(1_000), memory)).length;
      await settled();
    }
    expect(taken).toBe(400);
  });
});

describe('a message', () => {
  test('stays at the bus when this disk does not take it, and no failure goes unheeded', async () => {
    const { fake, sidecar } = await start('payments');
    const tool = Promise.withResolvers<object>();
    fake.ran = () => tool.promise;
    for (let number = 0; number < 256; number += 1) {
      sidecar.deliver(fake.requestFrom(triage, { key: `k${number}` }), null, () => undefined);
    }
    await settled();
    let taken = 0;
    const { receive } = fake.store;
    fake.store.receive = () => ({ isNew: false, durable: Promise.reject(new Error('disk full')) });
    sidecar.deliver(fake.requestFrom(triage), null, () => void (taken += 1));
    await settled();
    fake.store.receive = () => {
      throw new Error('disk gone');
    };
    sidecar.deliver(fake.requestFrom(triage), null, () => void (taken += 1));
    await settled();
    fake.store.receive = receive;
    sidecar.deliver(fake.requestFrom(triage), null, () => void (taken += 1));
    tool.resolve({});
    while (taken === 0) await settled();
    expect(taken).toBe(1);
    expect(fake.faults.map(String)).toEqual(['Error: disk full', 'Error: disk gone']);
  });

  test('is handed over once, also when the bus brings it again', async () => {
    const { fake, sidecar } = await start('triage');
    const memory = await session(sidecar);
    const envelope = fake.envelopeFrom(desk);
    let taken = 0;
    for (let time = 0; time < 3; time += 1) sidecar.deliver(envelope, null, () => void (taken += 1));
    while (taken < 3) await settled();
    expect(await sidecar.take(64, AbortSignal.timeout(0), memory)).toHaveLength(1);
  });

  test('that ends every process that reads it is refused, and nothing that came with it', async () => {
    const { fake, sidecar } = await start('triage');
    const [before, poison, behind] = [fake.bodyFrom(desk), fake.bodyFrom(desk), fake.bodyFrom(desk)];
    for (const body of [before, poison, behind]) {
      sidecar.deliver(signEnvelope(body, desk.credential), null, () => undefined);
    }
    await settled();
    const dealtWith: string[] = [];
    let processes = 0;
    for (; processes < 10 && dealtWith.length < 2; processes += 1) {
      const memory = await session(sidecar);
      // Like the SDK: what was dealt with is acknowledged by asking for more, or never.
      let read: readonly string[] = [];
      while (!read.includes(poison.id)) {
        await memory.absorb([], [], read);
        dealtWith.push(...read);
        const taken = await sidecar.take(32, AbortSignal.timeout(0), memory);
        if (taken.length === 0) break;
        read = taken.map(({ body }) => body.id);
        await memory.absorb([], read, []);
      }
    }
    expect(dealtWith).toEqual([before.id, behind.id]);
    expect(processes).toBeLessThan(8);
    expect(fake.recorder.codes('indicator.raised')).toEqual(['SIDECAR_MESSAGE_POISON']);
    expect(fake.store.message(poison.id)?.state).toBe('refused');
  });

  test('that was stored beyond what the inbox holds is there after a restart', async () => {
    const { fake } = await start('triage');
    const one = { state: 'pending', entries: [], incarnation: null, reply: null } as const;
    for (let number = 0; number < 10_200; number += 1) {
      void fake.store.receive({ ...one, body: fake.bodyFrom(desk, { payload: {} }) });
    }
    fake.database.flush();
    await settled();
    const again = new AgentSidecar(fake.context);
    const memory = await session(again);
    expect(await again.take(20_000, AbortSignal.timeout(0), memory)).toHaveLength(10_200);
  });
});
