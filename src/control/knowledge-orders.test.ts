// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { signKnowledgeOrder, type KnowledgeOrder } from '../identity/knowledge-order.ts';
import { given, KnowledgeFixture, onlyItem } from '../knowledge/knowledge-fixture.ts';
import type { Operator } from '../mesh/mesh.ts';
import type { OperatorRole } from '../mesh/operator-roles.ts';
import type { JsonValue } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import { attachedDigest, takeKnowledgeOrder, type KnowledgeOrdersContext } from './knowledge-orders.ts';

const alice = operatorKey();
const mallory = operatorKey();
const documents: JsonValue = [
  { name: 'refunds.md', text: 'Refunds are paid within fourteen days.', classification: null, readers: null },
];
const others: JsonValue = [
  { name: 'refunds.md', text: 'Refunds go to ACME.', classification: null, readers: null },
];
let node: KnowledgeFixture;
let context: KnowledgeOrdersContext;
let roles: OperatorRole[];
let quarantined: string[];

beforeEach(async () => {
  node = await KnowledgeFixture.open();
  roles = ['security'];
  quarantined = [];
  context = {
    knowledge: node.context,
    recorder: node.context.recorder,
    clock: node.clock,
    mintId: () => node.id(),
    get operators() {
      return new Map<string, Operator>([['alice', { name: 'alice', publicKey: alice.publicJwk, roles }]]);
    },
    quarantine: async (subject) => {
      quarantined.push(subject);
      return { items: 1 };
    },
    startedAt: node.clock.ms,
    taken: new Map(),
    turns: new Turns(),
  };
  return () => node.close();
});

function order(change: Partial<KnowledgeOrder> = {}): KnowledgeOrder {
  return {
    id: node.id(), act: 'ingest', subject: 'guidelines', digest: attachedDigest(documents),
    operator: 'alice', at: node.clock.ms, reason: 'new version', ...change,
  };
}
const give = (statement: KnowledgeOrder, attached: JsonValue | null = documents, key = alice) =>
  takeKnowledgeOrder(signKnowledgeOrder(statement, key), attached, context);

describe('an order about knowledge is refused', () => {
  test.each([
    ['signed by somebody else', {}, documents, mallory, 'IDENTITY_DECISION_SIGNATURE_INVALID'],
    ['of an operator whom nobody knows', { operator: 'bob' }, documents, alice, 'IDENTITY_OPERATOR_UNKNOWN'],
    ['for a source that is not there', { subject: 'nowhere' }, documents, alice, 'KNOWLEDGE_ITEM_UNKNOWN'],
    ['with other documents than were signed', {}, others, alice, 'KNOWLEDGE_ORDER_CHANGED'],
    ['with no document', {}, [], alice, 'KNOWLEDGE_ORDER_CHANGED'],
    ['without documents', {}, null, alice, 'KNOWLEDGE_ORDER_CHANGED'],
  ] as const)('%s', async (_, change, attached, key, code) => {
    expect(await give(order(change), attached, key)).toMatchObject({ code });
    expect(await node.store.list(null, '', 10)).toEqual([]);
  });

  test('of somebody who has no right to it', async () => {
    roles = ['approver'];
    expect(await give(order())).toMatchObject({ code: 'KNOWLEDGE_ORDER_ROLE' });
    roles = ['operator'];
    expect(await give(order())).toMatchObject({ code: 'KNOWLEDGE_ORDER_ROLE' });
    const aside = { act: 'quarantine', subject: node.id(), digest: '' } as const;
    expect(await give(order(aside), null)).toMatchObject({ code: null });
  });

  test('a second time, when it is old, and from before the node started', async () => {
    const once = order();
    expect(await give(once)).toMatchObject({ code: null });
    expect(await give(once)).toMatchObject({ code: 'KNOWLEDGE_ORDER_CHANGED' });
    expect(await give(order({ at: node.clock.ms - 1 }))).toMatchObject({ code: 'KNOWLEDGE_ORDER_CHANGED' });
    const kept = order();
    node.clock.ms += 5 * 60_000 + 1;
    expect(await give(kept)).toMatchObject({ code: 'KNOWLEDGE_ORDER_CHANGED' });
  });

  test('to serve what was altered, or what nothing was found about', async () => {
    await give(order());
    const [item] = await node.store.list(null, '', 1);
    const clear = { act: 'clear', subject: item?.id ?? '', digest: '' } as const;
    expect(await give(order(clear), null)).toMatchObject({ code: 'KNOWLEDGE_ITEM_UNKNOWN' });
    node.tamper("UPDATE item SET nonce = 'AAAA' || substr(nonce, 5)");
    await node.query('refunds');
    expect(await give(order(clear), null)).toMatchObject({ code: 'KNOWLEDGE_ALTERED' });
  });
});

describe('an order of several documents that ends midway', () => {
  const two: JsonValue = ['a.md', 'b.md'].map((name) => ({
    name, text: `Refunds, says ${name}, are paid.`, classification: null, readers: null,
  }));
  const ordered = () => give(order({ digest: attachedDigest(two) }), two);

  test('serves nothing of them where the order could not be put on record', async () => {
    node.recorderFails = true;
    await expect(ordered()).rejects.toThrow();
    node.recorderFails = false;
    expect(given(await node.query('refunds'))).toEqual([]);
    expect(await ordered()).toMatchObject({ code: null });
    expect(given(await node.query('refunds'))).toHaveLength(2);
  });

  test('keeps serving what was there where the store failed, which is on record beside the order', async () => {
    await ordered();
    node.clock.ms += 1;
    const { store } = node;
    context = { ...context, knowledge: { ...node.context, store: new Proxy(store, {
      get: (of, name) => name === 'add'
        ? async () => { throw new Error('The process ends here.'); }
        : (...args: unknown[]) => Reflect.apply(Reflect.get(of, name) as () => unknown, of, args),
    }) } };
    await expect(ordered()).rejects.toThrow();
    expect(given(await node.query('refunds'))).toHaveLength(2);
    expect((await store.list(null, '', 10)).map(({ state }) => state)).toEqual(['current', 'current']);
    expect(node.entries.filter(({ kind }) => kind.startsWith('knowledge.')).slice(-3).map(({ kind, code }) => [kind, code])).toEqual([
      ['knowledge.ingested', null], ['knowledge.changed', 'KNOWLEDGE_UNAVAILABLE'], ['knowledge.read', null],
    ]);
  });

  test('takes in none where one cannot be, or two have one name', async () => {
    const [first] = two as readonly JsonValue[];
    const empty = { name: 'c.md', text: 'x'.repeat(1_200_001), classification: null, readers: null };
    const tooMuch = [first ?? null, empty];
    expect(await give(order({ digest: attachedDigest(tooMuch) }), tooMuch)).toMatchObject({ code: 'KNOWLEDGE_FULL' });
    const twice = [first ?? null, first ?? null];
    expect(await give(order({ digest: attachedDigest(twice) }), twice)).toMatchObject({ code: 'KNOWLEDGE_DOCUMENT_TWICE' });
    expect(await node.store.list(null, '', 10)).toEqual([]);
  });
});

describe('an order about knowledge', () => {
  test('is on record with its signature and the keyed digest of what was taken in, not with names', async () => {
    await give(order());
    expect(given(await node.query('refunds'))).toHaveLength(1);
    const [entry] = node.entries;
    expect(entry).toMatchObject({
      kind: 'knowledge.ingested', actor: 'operator:alice',
      detail: { source: 'guidelines', documents: [{ pieces: 1, flagged: 0, superseded: 0 }] },
    });
    expect(JSON.stringify({ ...entry, detail: { ...entry?.detail, signed: '' } })).not.toMatch(/refunds|fourteen/i);
  });

  test('puts an item aside, or serves it again', async () => {
    const kept = onlyItem(await node.remember('entry', { suspect: true }));
    expect(given(await node.recall())).toEqual([]);
    expect(await give(order({ act: 'clear', subject: kept.id, digest: '' }), null)).toMatchObject({ code: null });
    expect(given(await node.recall())).toEqual(['entry']);
    await give(order({ act: 'quarantine', subject: kept.id, digest: '' }), null);
    expect(quarantined).toEqual([kept.id]);
  });
});
