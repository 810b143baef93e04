// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteSettlementStore } from '../adapters/settlement-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { allot, settle, type Asking } from '../bounds/allot.ts';
import { MemoryLedgerStore } from '../bounds/ledger-memory.ts';
import { readOperatorKey } from '../identity/operator-key.ts';
import { signSettlement, type SettlementStatement } from '../identity/settlement-statement.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { Turns } from '../oversight/turns.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { settlementHeard, takeSettlement, type SettlementsContext } from './settlements.ts';

const path = new URL('../../test/vectors/signed-keys.json', import.meta.url);
const { keys } = JSON.parse(readFileSync(path, 'utf8'));
const alice = readOperatorKey(keys.triage);
const stranger = readOperatorKey(keys.impostor);
const nowMs = 1_760_000_000_000;

let directory: string;
let database: BatchedDatabase;
let ledger: MemoryLedgerStore;
let context: SettlementsContext;
let refusals: EntryDraft[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-settlements-'));
  database = new BatchedDatabase(join(directory, 'node.sqlite'));
  ledger = new MemoryLedgerStore();
  refusals = [];
  let minted = 0;
  context = {
    mesh: { agents: new Map([['payments', {}], ['vault', {}]]) } as unknown as Mesh,
    store: new SqliteSettlementStore(database),
    ledger,
    clock: { nowMs: () => nowMs },
    operators: new Map([['alice', { name: 'alice', publicKey: alice.publicJwk }]]),
    turns: new Turns(),
    mintId: () => `id-${(minted += 1)}`,
    recorder: { record: async (entries) => (refusals.push(...entries), []) },
  };
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const ids = ['01K74F0Z00ABCDEFGHJKMNPQRS', '01K74F0Z01ABCDEFGHJKMNPQRS'] as const;
const said: SettlementStatement = {
  id: ids[0], executor: 'payments', call: 'r1', end: 'not-run', digest: 'A'.repeat(43),
  operator: 'alice', at: 5, reason: 'not in the ledger',
};
const take = (change: Partial<SettlementStatement> = {}, key = alice) =>
  takeSettlement(signSettlement({ ...said, ...change }, key), context);
const codeOf = async (answer: ReturnType<typeof take>): Promise<string | null> => {
  const given = await answer;
  return given.ok ? null : given.code;
};

describe('a settlement is refused, and the refusal recorded', () => {
  it.each([
    ['of an operator nobody knows', { operator: 'eve' }, alice, 'IDENTITY_OPERATOR_UNKNOWN'],
    ['that somebody else signed', {}, stranger, 'IDENTITY_DECISION_SIGNATURE_INVALID'],
    ['for an agent that the mesh does not have', { executor: 'nobody' }, alice,
      'CONTROL_AGENT_UNKNOWN'],
  ] as const)('%s', async (_name, change, key, code) => {
    expect(await codeOf(take(change, key))).toBe(code);
    expect(refusals).toMatchObject([{ kind: 'identity.refused', code }]);
    expect(context.store.waiting('payments')).toEqual([]);
  });

  it('to the other end than one that stands, and anew once the executor refused that', async () => {
    await take();
    expect(await codeOf(take({ id: ids[1], end: 'done' }))).toBe('TOOL_CALL_SETTLED');
    await settlementHeard('payments', ids[0], 'TOOL_CALL_CHANGED', context);
    expect(await codeOf(take({ id: ids[1], end: 'done' }))).toBeNull();
    await settlementHeard('payments', ids[1], null, context);
    expect(await codeOf(take({ id: '01K74F0Z02ABCDEFGHJKMNPQRS' }))).toBe('TOOL_CALL_SETTLED');
  });

  it('when it cannot be made durable', async () => {
    database.close();
    database = new BatchedDatabase(join(directory, 'other.sqlite'));
    context = { ...context, ledger: { change: async () => Promise.reject(new Error('disk')) } };
    const store = new SqliteSettlementStore(database);
    expect(await codeOf(takeSettlement(signSettlement(said, alice), { ...context, store }) as
      ReturnType<typeof take>)).toBe('CONTROL_SETTLEMENT_UNAVAILABLE');
    expect(store.waiting('payments')).toEqual([]);
  });
});

describe('a settlement that waits', () => {
  it('survives a restart, and is taken once however often it is sent', async () => {
    await take();
    await take();
    expect(await take({ id: ids[1] })).toMatchObject({ settlement: { id: ids[0] } });
    database.close();
    database = new BatchedDatabase(join(directory, 'node.sqlite'));
    const store = new SqliteSettlementStore(database);
    expect(store.waiting('payments')).toMatchObject([{ id: ids[0], state: 'waiting' }]);
    expect(store.waiting('vault')).toEqual([]);
  });

  it('is answered by its own executor only, and stays while that one cannot record it', async () => {
    await take();
    expect(await settlementHeard('vault', ids[0], null, context)).toBeNull();
    await settlementHeard('payments', ids[0], 'TOOL_NOT_RECORDED', context);
    expect(context.store.waiting('payments')).toHaveLength(1);
    await settlementHeard('payments', ids[0], null, context);
    expect(context.store.byId(ids[0])).toMatchObject({ state: 'applied', code: null });
    expect(await settlementHeard('payments', ids[0], 'TOOL_CALL_UNKNOWN', context)).toBeNull();
  });
});

describe('what a call in doubt was charged', () => {
  const asking = (holder: string, executor = 'payments'): Asking => ({
    id: `call of ${executor}`, executor, holder, breakers: [], retry: null, validMs: 10_000,
    released: false,
    charges: [{
      key: 'k', amount: 60, most: 100, windowMs: 3_600_000, untilMs: nowMs, escalateAt: null,
      code: 'BOUNDS_EXCEEDED',
    }],
  });
  const ask = (one: Asking) => ledger.change((state) => allot(state, one, nowMs));
  const doubt = (one: Asking) =>
    ledger.change((state) => settle(state, one, 'in-doubt', 1, nowMs));
  const used = (): number => ledger.view.sum('k/3600000', 0) / 1_000_000;
  let charged: number;

  beforeEach(async () => {
    await ask(asking('r1'));
    charged = used();
    expect(charged).toBeGreaterThan(0);
  });

  it('comes back once its executor took that it did not run, also with repeats in doubt', async () => {
    await doubt(asking('r1'));
    await ask(asking('r2'));
    await doubt(asking('r2'));
    await take();
    expect(used()).toBe(charged);
    await settlementHeard('payments', ids[0], null, context);
    expect(used()).toBe(0);
    await settlementHeard('payments', ids[0], null, context);
    expect(used()).toBe(0);
  });

  it('comes back where a crash hid the doubt itself from the owner of the bounds', async () => {
    await take();
    await settlementHeard('payments', ids[0], null, context);
    expect(used()).toBe(0);
  });

  it('stays for a request that asked after the settlement, also if that ends in doubt', async () => {
    await doubt(asking('r1'));
    await take();
    await ask(asking('r3'));
    await doubt(asking('r3'));
    await settlementHeard('payments', ids[0], null, context);
    expect(used()).toBe(charged);
  });

  it.each([
    ['that was done', { end: 'done' }, 'payments', null],
    ['that the executor would not settle', {}, 'payments', 'TOOL_CALL_UNKNOWN'],
    ['of another executor', { executor: 'vault' }, 'vault', null],
  ] as const)('stays for one %s', async (_name, change, executor, code) => {
    await take(change);
    await settlementHeard(executor, ids[0], code, context);
    expect(used()).toBe(charged);
  });
});
