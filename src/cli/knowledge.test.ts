// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { knowledgeAct } from './knowledge.ts';

it.each([
  ['quarantine', '01JD3K4Z5A6B'],
  ['quarantine', 'NOPE'],
  ['clear', ''],
] as const)('%ss nothing by an id that is none or cut short (%s), before a key is asked for', async (act, id) => {
  const said: string[] = [];
  const io = { out: () => undefined, err: (line: string) => void said.push(line), directory: '.' };
  const options = { act, id, state: '/none', as: 'alice', key: '/none', reason: '', json: false };
  expect(await knowledgeAct(options, io)).toBe(1);
  expect(said[0]).toContain('KNOWLEDGE_ITEM_UNKNOWN: ');
});
