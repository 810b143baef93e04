// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { clarificationSchema } from '../message/clarification.ts';
import { ClarityLog } from './clarity.ts';
import type { RecordedEntry } from './entry.ts';

const unclear = (agent: string): RecordedEntry =>
  ({ kind: 'indicator.raised', code: 'INTENT_UNCLEAR', detail: { instructed: agent } }) as unknown as RecordedEntry;
const sent = (from: string, schema: string, task = 't', to = 'b'): RecordedEntry =>
  ({ kind: 'message.admitted', code: null, task, detail: { from, to, schema } }) as unknown as RecordedEntry;

test('an agent that is told unclear things and never asks is named; one that asks is not', () => {
  const log = new ClarityLog();
  for (let turn = 0; turn < 20; turn += 1) for (const agent of ['mute', 'asker', 'rare']) log.add(unclear(agent));
  for (let turn = 0; turn < 3; turn += 1) log.add(sent('asker', clarificationSchema));
  log.add(unclear('new'));
  expect(log.clarities()).toMatchObject([
    { agent: 'asker', unclear: 20, asked: 3, neverAsks: false },
    { agent: 'mute', unclear: 20, asked: 0, neverAsks: true },
    { agent: 'new', unclear: 1, neverAsks: false },
    { agent: 'rare', asked: 0, neverAsks: true },
  ]);
});

test('work that is sent again counts as rework, in its task and to its recipient only', () => {
  const log = new ClarityLog();
  for (const one of [
    sent('a', 'report/1'), sent('a', 'report/1'), sent('a', 'report/1', 'u'), sent('a', 'report/1', 't', 'c'),
    sent('a', 'action-request/1'), sent('a', 'action-request/1'), sent('a', clarificationSchema), sent('a', clarificationSchema),
  ]) log.add(one);
  expect(log.clarities()).toEqual([{ agent: 'a', unclear: 0, asked: 2, again: 1, neverAsks: false }]);
});
