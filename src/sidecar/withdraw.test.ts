// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import type { InboxMessage } from './ports.ts';
import { withdraw } from './withdraw.ts';

const desk = partyOf('desk');
const [given, other] = ['A'.repeat(43), 'B'.repeat(43)];

async function handed(known: string | null, goalHash: string | null) {
  const fake = new FakeSidecar('triage');
  const body = fake.bodyFrom(desk, { goalHash });
  const message: InboxMessage = { body, state: 'pending', entries: [], incarnation: null, reply: null };
  await fake.store.receive(message).durable;
  const kept = await withdraw([message], { place: () => ({ goalHash: known }) }, fake.context);
  return { kept: kept.length, state: fake.store.message(body.id)?.state, codes: fake.recorder.codes('message.refused') };
}

test('a message that gives its task another goal is not handed over, and is on record', async () => {
  expect(await handed(given, other)).toEqual({ kept: 0, state: 'refused', codes: ['SIDECAR_GOAL_CHANGED'] });
});

test.each([
  ['the same goal', given, given], ['a task that nobody gave a goal', null, other], ['an answer without one', given, null],
])('%s is handed over', async (_what, known, goalHash) => {
  expect(await handed(known, goalHash)).toMatchObject({ kept: 1, state: 'pending', codes: [] });
});
