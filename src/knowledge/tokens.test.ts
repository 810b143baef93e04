// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { given, KnowledgeFixture, taskOne } from './knowledge-fixture.ts';

let node: KnowledgeFixture;
beforeEach(async () => {
  node = await KnowledgeFixture.open();
  return () => node.close();
});

const asked = () => ({ id: node.id(), task: taskOne, incarnation: 'run-1' });
const tokensFor = async (...values: string[]): Promise<readonly string[]> => {
  const answer = given(await node.ask({ kind: 'tokenise', ...asked(), values }));
  return typeof answer === 'string' ? [answer] : answer.map(String);
};
const reveal = async (tokens: readonly string[], agent = node.agents.planner) =>
  given(await node.ask({ kind: 'reveal', ...asked(), tokens }, agent));

describe('a personal value', () => {
  test('has one token, whoever says it and however often, and no two values share one', async () => {
    const [ada, bob, again] = await tokensFor('Ada Example', 'Bob Example', 'Ada Example');
    expect(again).toBe(ada);
    expect(bob).not.toBe(ada);
    expect(await tokensFor('Ada Example')).toEqual([ada]);
    expect(ada).toMatch(/^tok_[A-Za-z0-9_-]{22}$/);
    expect(await node.store.count('tokens/mesh', node.clock.ms)).toBe(2);
  });

  test('is told to whom the mesh file shows it, and to nobody else', async () => {
    const tokens = await tokensFor('Ada Example');
    expect(await reveal(tokens)).toEqual([[tokens[0], 'Ada Example']]);
    expect(await reveal(tokens, node.agents.triage)).toBe('KNOWLEDGE_DENIED');
    node.settings.domain = { ...node.settings.domain, allowedRoles: ['RETRIEVER'] };
    expect(await reveal(tokens)).toBe('BUS_ROLE_DENIED');
    node.settings.tokens = null;
    expect(await reveal(tokens)).toBe('KNOWLEDGE_DENIED');
    expect(await tokensFor('Ada Example')).toEqual(['KNOWLEDGE_DENIED']);
  });

  test('is not told to one who is not cleared for it, whatever the domain says now', async () => {
    const { domain } = node.settings;
    node.settings.domain = { ...domain, classification: 'restricted' };
    const tokens = await tokensFor('Ada Example');
    expect(await reveal(tokens)).toEqual([]);
    node.settings.domain = domain;
    expect(await reveal(tokens)).toEqual([]);
    expect(await reveal(tokens, { ...node.agents.planner, clearance: 'restricted' })).toHaveLength(1);
  });

  test('is not told to a run that was put aside, nor put under a token for it', async () => {
    const tokens = await tokensFor('Ada Example');
    await node.store.putAside([], ['run-1']);
    expect(await reveal(tokens)).toBe('KNOWLEDGE_QUARANTINED');
    expect(await tokensFor('Bob Example')).toEqual(['KNOWLEDGE_QUARANTINED']);
    const refused = { outcome: 'NO-GO', code: 'KNOWLEDGE_QUARANTINED', causedBy: [] };
    expect(node.entries.slice(-2)).toMatchObject([
      { ...refused, kind: 'knowledge.read' }, { ...refused, kind: 'memory.written' },
    ]);
    expect(await node.store.count('tokens/mesh', node.clock.ms)).toBe(1);
    const asks = { ...asked(), incarnation: 'run-2' };
    expect(given(await node.ask({ kind: 'reveal', ...asks, tokens }, node.agents.planner))).toHaveLength(1);
  });

  test('is not told for a token that somebody made up, or put in the place of another', async () => {
    const [ada, bob] = await tokensFor('Ada Example', 'Bob Example');
    expect(await reveal(['tok_AAAAAAAAAAAAAAAAAAAAAA'])).toEqual([]);
    node.tamper('UPDATE item_term SET term = term || ?', 'x');
    node.tamper('UPDATE item_term SET term = ? WHERE term = ?', String(bob), `${ada}x`);
    expect(await reveal([String(bob)])).toEqual([]);
  });

  test('lies nowhere in clear, and each look at it is on record without it', async () => {
    await reveal(await tokensFor('Ada Example'));
    node.database.flush();
    for (const file of readdirSync(node.folder)) {
      expect(readFileSync(join(node.folder, file)).includes('Ada Example')).toBe(false);
    }
    expect(node.entries.at(-1)).toMatchObject({ kind: 'knowledge.read', detail: { agent: 'planner', revealed: 1 } });
    expect(JSON.stringify(node.entries)).not.toContain('Ada');
  });
});
