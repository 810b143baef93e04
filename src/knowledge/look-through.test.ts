// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { given, KnowledgeFixture, onlyItem } from './knowledge-fixture.ts';
import { lookThrough } from './look-through.ts';

let node: KnowledgeFixture;
beforeEach(async () => {
  node = await KnowledgeFixture.open();
  return () => node.close();
});
const look = () => lookThrough(node.context, async () => undefined);
const before = { customer: 'c-7', account: 'DE01', note: 'calls' };

describe('DP-T3.3: an entry that contradicts what an agent otherwise remembers', () => {
  test('is flagged by the next look and withheld from then on', async () => {
    await node.remember(before);
    node.clock.ms += 1000;
    const slipped = onlyItem(await node.remember({ customer: 'c-7', account: 'XX99' }, { incarnation: 'run-9' }));
    expect(await look()).toEqual([
      { item: slipped.id, shelf: 'memory/triage', document: null, code: 'KNOWLEDGE_CONTRADICTS' },
    ]);
    expect(given(await node.recall({ customer: 'c-7' }))).toEqual([before]);
    expect(node.entries).toContainEqual(expect.objectContaining({ code: 'KNOWLEDGE_CONTRADICTS' }));
  });

  test('is no contradiction where its writer had read what held before, or wrote both', async () => {
    await node.remember(before);
    await node.recall({ customer: 'c-7' }, { incarnation: 'run-9' });
    node.clock.ms += 1000;
    await node.remember({ customer: 'c-7', account: 'XX99' }, { incarnation: 'run-9' });
    expect(await look()).toEqual([]);
  });

  test('nor where it is about somebody else, or says nothing else', async () => {
    await node.remember(before);
    node.clock.ms += 1000;
    await node.remember({ customer: 'c-8', account: 'XX99' }, { incarnation: 'run-9' });
    await node.remember({ customer: 'c-7', phone: '1' }, { incarnation: 'run-9' });
    expect(await look()).toEqual([]);
  });

  test('nor where one that was read after it was written is meant', async () => {
    await node.remember(before);
    node.clock.ms += 1000;
    await node.remember({ customer: 'c-7', account: 'XX99' }, { incarnation: 'run-9' });
    await node.recall({ customer: 'c-7' }, { incarnation: 'run-9' });
    expect((await look()).map(({ code }) => code)).toEqual(['KNOWLEDGE_CONTRADICTS']);
  });
});
