// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { SqlitePaceStore } from '../adapters/pace-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { operatorKey } from '../../test/mesh-harness/attack-mesh.ts';
import { FakeRecorder } from '../../test/sidecar-fixture/sidecar.ts';
import type { PaceOrder, PaceStep } from '../pace/book.ts';
import type { Operator } from '../mesh/mesh.ts';
import { rulesFor } from '../pace/rules-fixture.ts';
import { agentUnit, meshUnit } from '../pace/unit.ts';
import { Turns } from '../oversight/turns.ts';
import { PaceKeeper, type PaceContext } from './pace.ts';
import { signPaceOrder } from '../pace/statement.ts';

const keys = {
  alice: operatorKey(), bob: operatorKey(), carol: operatorKey(), mallory: operatorKey(), dora: operatorKey(), emil: operatorKey(),
};
let rules = rulesFor();
let database: BatchedDatabase;
let recorder: FakeRecorder;
let now: number;
let told: PaceStep[];
let broken: boolean;
let count = 0;

function open(): PaceKeeper {
  const kept = new SqlitePaceStore(database);
  const store: PaceContext['store'] = {
    load: () => kept.load(),
    order: (id) => kept.order(id),
    unrecorded: () => kept.unrecorded(),
    recorded: (entries) => kept.recorded(entries),
    save: async (...what) => {
      if (broken) throw new Error('disk');
      await kept.save(...what);
    },
  };
  return new PaceKeeper({
    rules: () => rules,
    facts: { isRevoked: () => false },
    store,
    recorder,
    clock: { nowMs: () => now },
    operators: new Map<string, Operator>([
      ...['alice', 'bob', 'carol'].map((name) =>
        [name, { name, publicKey: keys[name as 'alice'].publicJwk }] as const),
      ['dora', { name: 'dora', publicKey: keys.dora.publicJwk, roles: ['auditor'] }],
      ['emil', { name: 'emil', publicKey: keys.emil.publicJwk, roles: ['operator'] }],
    ]),
    mintId: () => `id-${(count += 1)}`,
    turns: new Turns(),
    changed: (steps) => void told.push(...steps),
  });
}

function signed(order: PaceOrder, operator: 'alice' | 'bob' | 'carol' | 'dora' | 'emil', change: { at?: number; key?: 'mallory' } = {}): string {
  const id = `01K74F0Z${String((count += 1)).padStart(2, '0')}ABCDEFGHJKMNPQRS`;
  const statement = { id, order, operator, at: change.at ?? now, reason: 'test' };
  return signPaceOrder(statement, keys[change.key ?? operator]);
}

beforeEach(() => {
  database = new BatchedDatabase(':memory:');
  recorder = new FakeRecorder();
  now = 1_760_000_000_000;
  told = [];
  broken = false;
  rules = rulesFor();
});

const killA = { op: 'kill', unit: agentUnit('a') } as const;
const evidence = { rootCause: 'x', remediation: 'y', baselines: 'z' };

describe('an order to PACE', () => {
  test.each([
    ['IDENTITY_DECISION_SIGNATURE_INVALID', () => signed(killA, 'bob', { key: 'mallory' })],
    ['PACE_AUTHORITY_MISSING', () => signed(killA, 'carol')],
    ['PACE_UNIT_UNKNOWN', () => signed({ op: 'kill', unit: agentUnit('nobody') }, 'bob')],
    ['PACE_STATEMENT_STALE', () => signed({ op: 'halt', unit: meshUnit }, 'bob', { at: now - 600_001 })],
    ['IDENTITY_PACE_MALFORMED', () => 'a.b.c'],
  ])('is refused with %s, on record, and changes nothing', async (code, order) => {
    const keeper = open();
    expect(await keeper.order(order())).toEqual({ ok: false, code });
    expect(recorder.codes('identity.refused')).toEqual([code]);
    expect(keeper.clamp('a').allows).toBe('all');
  });

  test.each([
    ['an auditor', 'dora', { op: 'kill', unit: agentUnit('a') }],
    ['who stops and leads nobody back', 'emil', { op: 'recover', unit: agentUnit('a'), incident: 'x', evidence }],
  ] as const)('of %s is refused where the mesh file names no authorities', async (_who, name, order) => {
    rules = { ...rulesFor(), settings: { ...rulesFor().settings, authorities: null } };
    const keeper = open();
    expect(await keeper.order(signed(order, name))).toEqual({ ok: false, code: 'PACE_AUTHORITY_MISSING' });
    expect(await keeper.order(signed(killA, 'emil'))).toMatchObject({ ok: true });
  });

  test('holds, is on record with its signature, and is applied once', async () => {
    const keeper = open();
    const order = signed(killA, 'bob');
    expect(await keeper.order(order)).toMatchObject({ ok: true });
    expect(keeper.clamp('a')).toMatchObject({ phase: 'EMERGENCY', allows: 'nothing' });
    expect(recorder.entries.find(({ kind }) => kind === 'pace.changed')).toMatchObject({
      kind: 'pace.changed', code: 'PACE_KILLED', actor: 'operator:bob', detail: { unit: 'agent:a', signed: order },
    });
    expect(await keeper.order(order)).toMatchObject({ ok: true, steps: [] });
    expect(told.map(({ kind }) => kind)).toEqual(['phase', 'spread']);
  });

  test('that is a kill is never too old', async () => {
    expect(await open().order(signed(killA, 'bob', { at: 1 }))).toMatchObject({ ok: true });
  });

  test('with an older permission does not lead back from a newer incident', async () => {
    const keeper = open();
    await keeper.order(signed(killA, 'bob'));
    const incident = keeper.book.units.get('agent:a')?.incident ?? '';
    const recover = { op: 'recover', unit: agentUnit('a'), incident, evidence } as const;
    const again = signed(recover, 'carol');
    expect(await keeper.order(signed(recover, 'carol'))).toMatchObject({ ok: true });
    await keeper.order(signed(killA, 'bob'));
    expect(await keeper.order(again)).toEqual({ ok: false, code: 'PACE_INCIDENT_STALE' });
  });
});

describe('what PACE keeps', () => {
  test('is there after a start, under a version that no earlier run gave', async () => {
    const keeper = open();
    await keeper.order(signed(killA, 'bob'));
    const { version } = keeper;
    const again = open();
    expect(again.clamp('a').phase).toBe('EMERGENCY');
    expect(again.version).toBeGreaterThan(version + 1_000);
  });

  test('tightens before the disk is asked, and holds when it fails; then it is tried again', async () => {
    const keeper = open();
    broken = true;
    const ordered = keeper.order(signed(killA, 'bob'));
    await Promise.resolve();
    await Promise.resolve();
    expect(keeper.clamp('a').allows).toBe('nothing');
    expect(await ordered).toEqual({ ok: false, code: 'PACE_UNAVAILABLE' });
    expect(keeper.clamp('a').allows).toBe('nothing');
    expect(open().clamp('a').allows).toBe('all');
    broken = false;
    await keeper.look();
    expect(open().clamp('a').allows).toBe('nothing');
    expect(recorder.codes('pace.changed')).toEqual(['PACE_KILLED']);
  });

  test('loosens only when it is durable', async () => {
    const keeper = open();
    await keeper.order(signed(killA, 'bob'));
    const incident = keeper.book.units.get('agent:a')?.incident ?? '';
    broken = true;
    const recover = { op: 'recover', unit: agentUnit('a'), incident, evidence } as const;
    expect(await keeper.order(signed(recover, 'carol'))).toEqual({ ok: false, code: 'PACE_UNAVAILABLE' });
    expect(keeper.clamp('a').allows).toBe('nothing');
  });

  test('is recorded later when the recorder refuses', async () => {
    const keeper = open();
    recorder.isBroken = () => true;
    expect(await keeper.order(signed(killA, 'bob'))).toEqual({ ok: false, code: 'PACE_UNRECORDED' });
    expect(keeper.clamp('a').allows).toBe('nothing');
    recorder.isBroken = () => false;
    await keeper.look();
    expect(recorder.codes('pace.changed')).toEqual(['PACE_KILLED']);
  });

  test('ends a suspended kill in the kill when nobody comes', async () => {
    const keeper = open();
    await keeper.order(signed({ op: 'kill', unit: meshUnit }, 'bob'));
    expect(keeper.book.stops.size).toBe(1);
    expect(keeper.clamp('c').allows).toBe('nothing');
    now += rules.settings.killWindowMs;
    await keeper.look();
    expect(keeper.book.units.get('mesh:mesh')?.phase).toBe('EMERGENCY');
  });
});
