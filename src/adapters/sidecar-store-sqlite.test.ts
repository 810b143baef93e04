// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { draft } from '../../test/faults/recorder-fixture.ts';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { freshContext } from '../label/context.ts';
import type { InboxMessage } from '../sidecar/ports.ts';
import { sidecarStoreSuite } from '../sidecar/sidecar-store.suite.ts';
import { SqliteSidecarStore } from './sidecar-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

let database: BatchedDatabase;
let store: SqliteSidecarStore;

beforeEach(() => {
  database = new BatchedDatabase(':memory:');
  store = new SqliteSidecarStore(database);
});

const rows = (table: string): number =>
  Number(database.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);

const alive = (id: string) => ({
  id,
  tokenDigest: 't',
  sessionDigest: null,
  endedAt: null,
  next: null,
});

sidecarStoreSuite('SQLite', () => {
  const disk = new BatchedDatabase(':memory:');
  const fake = new FakeSidecar('triage');
  return {
    open: () => new SqliteSidecarStore(disk),
    body: () => fake.bodyFrom(partyOf('desk')),
    entry: draft,
    report: (number) => ({
      ask: {
        holder: `01JHOLDER000000000000000${number}`,
        requester: 'desk',
        task: '01JTASK00000000000000000A',
        action: null,
        operation: 'mail.read',
        idempotencyKey: `key-${number}`,
        calls: 1,
        amounts: {},
        charges: [],
        released: false,
      },
      end: 'done',
      unusedShare: 0,
    }),
  };
});

describe('the spool', () => {
  test('is full at its bound and takes entries again once there is room', async () => {
    const many = Array.from({ length: 50_000 }, (_, index) => draft(index));
    await store.spool(many);
    await store.spool(many);
    await expect(store.spool([draft(1)])).rejects.toMatchObject({ code: 'RECORDER_FULL' });
    await store.unspool([1]);
    await store.spool([draft(1)]);
  });

  test('does not fill up with what the disk did not take', async () => {
    database.database.exec('CREATE TRIGGER full BEFORE INSERT ON spool BEGIN SELECT RAISE(FAIL, \'disk\'); END');
    const many = Array.from({ length: 40_000 }, (_, index) => draft(index));
    for (let time = 0; time < 3; time += 1) await expect(store.spool(many)).rejects.toThrow('disk');
    database.database.exec('DROP TRIGGER full');
    await store.spool(many);
    await store.spool(many);
    expect(rows('spool')).toBe(80_000);
  });
});

describe('pruning', () => {
  test('forgets what processes before the present one had read, and nothing of that', async () => {
    for (const incarnation of ['old', 'now']) {
      await store.absorb({
        incarnation,
        context: freshContext,
        mandates: [],
        values: [{ value: '1', source: 'prompt' }],
        handed: [],
        done: [],
        entries: [],
      });
    }
    await store.saveIncarnation(alive('now'));
    await store.prune(0);
    expect(store.context('old')).toBeNull();
    expect(store.values('old')).toEqual([]);
    expect(store.context('now')).toEqual(freshContext);
    expect(store.values('now')).toHaveLength(1);
  });

  test('keeps messages that nobody has dealt with, however old', async () => {
    const fake = new FakeSidecar('triage');
    const one = { entries: [], incarnation: null, reply: null };
    for (const state of ['pending', 'handed', 'working', 'held', 'done', 'refused'] as const) {
      void store.receive({ ...one, state, body: fake.bodyFrom(partyOf('desk')) });
    }
    await store.prune(Number.MAX_SAFE_INTEGER);
    expect(rows('inbox_message')).toBe(4);
    expect(rows('inbox_step')).toBe(4);
  });
});

describe('a group of writes', () => {
  test('takes along what was dealt with before, which makes none of its own for a while', async () => {
    let soon = 0;
    const later: (() => void)[] = [];
    const db = new BatchedDatabase(':memory:', {
      soon: (flush) => { soon += 1; setImmediate(flush); },
      later: (flush) => { later.push(flush); return () => undefined; },
    });
    const grouped = new SqliteSidecarStore(db);
    const message: InboxMessage = { entries: [], incarnation: null, reply: null, state: 'pending',
      body: new FakeSidecar('triage').bodyFrom(partyOf('desk')) };
    const received = grouped.receive(message).durable;
    const finished = grouped.finish('one', ['gone']);
    expect([soon, later.length]).toEqual([0, 1]);
    await grouped.absorb({ incarnation: 'one', context: freshContext, mandates: [], values: [],
      handed: [message.body.id], done: [], entries: [] });
    expect(soon).toBe(1);
    await Promise.all([received, finished]);
    const alone = grouped.finish('one', [message.body.id]);
    expect(soon).toBe(1);
    later.at(-1)?.();
    await alone;
    expect(grouped.message(message.body.id)?.state).toBe('done');
  });

  test('commits without the one that fails, and in order', async () => {
    const written: number[] = [];
    const write = (number: number) =>
      database.write(() => {
        if (number === 2) throw new Error('broken');
        database.database.exec(`INSERT INTO refusal VALUES ('t${number}', 1, 0)`);
        return written.push(number);
      });
    const results = await Promise.allSettled([write(1), write(2), write(3)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(rows('refusal')).toBe(2);
    expect(store.refusals('t2')).toBe(0);
  });

  test('rejects once the database is closed, and what came before is kept', async () => {
    const before = database.writeSoon(() => 1);
    database.close();
    expect(await before).toBe(1);
    await expect(database.write(() => 1)).rejects.toThrow('closed');
    database.close();
  });
});
