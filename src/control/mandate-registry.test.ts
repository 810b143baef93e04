// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { SqliteMandateStore } from '../adapters/mandate-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { RevocationList } from '../identity/revocation.ts';
import { readUnverified } from '../mandate/narrow.ts';
import { mintUlid } from '../message/identifiers.ts';
import { random, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { liveMandatesMax, MandateRegistry } from './mandate-registry.ts';

const triage = partyOf('triage');
const executor = new FakeSidecar('payments');
const task = mintUlid(executor.clock, random);
let database: BatchedDatabase;
let revocations: RevocationList;

beforeEach(() => {
  database = new BatchedDatabase(':memory:');
  revocations = new RevocationList([], 0, startMs);
});

function open(): MandateRegistry {
  return new MandateRegistry({
    store: new SqliteMandateStore(database),
    verify: executor.context.verifyMandate,
    revocations,
    clock: executor.clock,
    instanceOf: () => '',
  });
}
const bodyWith = (mandate: string | null, change: object = {}) =>
  executor.bodyFrom(triage, { task, mandate, ...change });

describe('the registry of mandates', () => {
  it('passes what carries none, and keeps nothing of it', async () => {
    const registry = open();
    expect(registry.refusal(bodyWith(null))).toBeNull();
    await registry.register(bodyWith(null));
    expect(registry.originOf(task)).toBeNull();
  });

  it('refuses what does not hold, with the code of the verifier', () => {
    const registry = open();
    const chain = executor.mandateFor('triage', task);
    expect(registry.refusal(bodyWith('x'))).toBe('MANDATE_MALFORMED');
    const other = mintUlid(executor.clock, random);
    expect(registry.refusal(bodyWith(chain, { task: other }))).toBe('MANDATE_TASK_MISMATCH');
    expect(registry.refusal(bodyWith(executor.mandateFor('desk', task)))).toBe('MANDATE_AUDIENCE_MISMATCH');
  });

  it('refuses a second chain for a task, also after a restart and while the first is written', async () => {
    const registry = open();
    const first = executor.mandateFor('triage', task);
    const wider = executor.mandateFor('triage', task, { maxDepth: 1 });
    const written = registry.register(bodyWith(wider));
    expect(registry.refusal(bodyWith(first))).toBe('CONTROL_MANDATE_SECOND');
    await written;
    const later = open();
    expect(later.refusal(bodyWith(first))).toBe('CONTROL_MANDATE_SECOND');
    expect(later.refusal(bodyWith(wider))).toBeNull();
    expect(later.originOf(task)).toBe('operator:root');
  });

  it('knows a mandate that is given to the recipient from one that the sender shows', () => {
    const registry = open();
    const given = executor.mandateFor('desk', task);
    expect(registry.refusal(bodyWith(given, { to: 'desk' }))).toBeNull();
    expect(registry.refusal(bodyWith(executor.mandateFor('triage', task), { to: 'desk' }))).toBeNull();
  });

  it('does not let a revoked mandate be replaced by another for the same delegate', async () => {
    const registry = open();
    const first = executor.mandateFor('triage', task);
    await registry.register(bodyWith(first));
    const read = readUnverified(first);
    const value = read.ok ? read.mandate.id : '';
    const change = {
      version: 1, id: 'r', op: 'revoke' as const, target: { kind: 'mandate' as const, value },
      at: startMs, signed: null,
    };
    revocations.update({ since: 0, version: 1, changes: [change] }, () => true);
    const again = executor.mandateFor('triage', task, { notBefore: startMs - 1 });
    expect(registry.refusal(bodyWith(again))).toBe('MANDATE_REVOKED');
  });

  it('takes no more live chains for one delegate and task than it may hold, and others still', async () => {
    const registry = open();
    const chain = (index: number, agent = 'triage') =>
      executor.mandateFor(agent, task, { expiresAt: startMs + 60_000 + index });
    for (let index = 0; index < liveMandatesMax; index += 1) {
      expect(registry.refusal(bodyWith(chain(index)))).toBeNull();
      await registry.register(bodyWith(chain(index)));
    }
    expect(registry.refusal(bodyWith(chain(99)))).toBe('CONTROL_MANDATE_LIMIT');
    expect(registry.refusal(bodyWith(chain(3)))).toBeNull();
    expect(registry.refusal(bodyWith(chain(99, 'desk'), { to: 'desk' }))).toBeNull();
    const other = mintUlid(executor.clock, random);
    const fresh = executor.mandateFor('triage', other);
    expect(registry.refusal(bodyWith(fresh, { task: other }))).toBeNull();
    executor.clock.ms += 60_000 + liveMandatesMax;
    const later = executor.mandateFor('triage', task, { expiresAt: startMs + 200_000 });
    expect(registry.refusal(bodyWith(later))).toBeNull();
    executor.clock.ms = startMs;
  });

  it('reads as much for a message of a task, however many chains were registered before', async () => {
    const store = new SqliteMandateStore(database);
    const chains = Array.from({ length: 60 }, (_, index) =>
      executor.mandateFor('triage', task, { expiresAt: startMs + 1000 + index }));
    for (const [index, chain] of chains.entries()) {
      const read = readUnverified(chain);
      if (!read.ok) throw new Error(read.code);
      const { id, path, expiresAt } = read.mandate;
      await store.add({ id, task, delegate: path.at(-1) ?? '', chain, expiresAt, at: startMs + index });
    }
    const delegate = 'agent:triage';
    const found = store.ofDelegate(task, delegate, liveMandatesMax);
    expect(found).toHaveLength(liveMandatesMax);
    expect(found.map(({ chain }) => chain)).toContain(chains.at(-1));
    expect(store.first(task)?.chain).toBe(chains[0]);
    expect(store.ofTask(task, 5)).toHaveLength(5);
    expect(store.ofDelegate(task, 'agent:desk', liveMandatesMax)).toEqual([]);
  });

  it('finds the narrowest chain of a delegate though it ended before all others', async () => {
    const registry = open();
    const wide = (index: number) =>
      executor.mandateFor('triage', task, { expiresAt: startMs + 60_000 + index });
    for (let index = 0; index < liveMandatesMax; index += 1) await registry.register(bodyWith(wide(index)));
    const narrow = executor.mandateFor('triage', task, { maxDepth: 1, expiresAt: startMs + 1000 });
    await registry.register(bodyWith(narrow));
    expect(registry.refusal(bodyWith(wide(99)))).toBe('CONTROL_MANDATE_SECOND');
  });

  it('knows what a version without delegates registered', async () => {
    const chain = executor.mandateFor('triage', task, { maxDepth: 1 });
    const read = readUnverified(chain);
    const id = read.ok ? read.mandate.id : '';
    database.database.exec('CREATE TABLE mandate (id TEXT PRIMARY KEY, task TEXT NOT NULL, ' +
      'chain TEXT NOT NULL, at INTEGER NOT NULL)');
    database.database.prepare('INSERT INTO mandate VALUES (?, ?, ?, ?)').run(id, task, chain, startMs);
    const registry = open();
    expect(registry.refusal(bodyWith(chain))).toBeNull();
    expect(registry.refusal(bodyWith(executor.mandateFor('triage', task)))).toBe('CONTROL_MANDATE_SECOND');
  });
});
