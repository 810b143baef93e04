// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { sqlitePutAside } from '../adapters/put-aside-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { PutAside } from './put-aside.ts';

const dayMs = 86_400_000;

it('what was put aside stays so, for its agent and after a crash, until no task can last any more', async () => {
  const database = new BatchedDatabase(':memory:');
  const clock = { ms: 0, nowMs: () => clock.ms };
  const open = () => new PutAside(sqlitePutAside(database), clock);
  const one = open();
  await one.add(new Map([['clerk', ['m1', 'm2']], ['planner', ['m1']]]));
  await one.add(new Map());
  for (const aside of [one, open()]) {
    expect([aside.of('clerk'), aside.of('planner'), aside.of('desk')]).toEqual([['m1', 'm2'], ['m1'], []]);
    expect([aside.has('clerk', 'm2'), aside.has('planner', 'm2')]).toEqual([true, false]);
    expect([...aside.messages().keys()]).toEqual(['clerk', 'planner']);
  }
  clock.ms = 9 * dayMs;
  expect(open().of('clerk')).toEqual([]);
  await open().add(new Map([['clerk', ['m3']]]));
  expect(open().of('clerk')).toEqual(['m3']);
});

it('what is put aside is in force before it is durable, and bounded', async () => {
  const never = () => new Promise<void>(() => undefined);
  const aside = new PutAside(
    { load: () => [], loadRuns: () => [], loadOpen: () => [], add: never, addRuns: never, open: never, close: never },
    { nowMs: () => 0 },
  );
  void aside.add(new Map([['clerk', Array.from({ length: 10_001 }, (_, index) => `m${index}`)]]));
  expect([aside.has('clerk', 'm0'), aside.has('clerk', 'm10000')]).toEqual([false, true]);
});

it('runs stay aside with what they follow from, after a crash too, and are bounded', async () => {
  const database = new BatchedDatabase(':memory:');
  const clock = { ms: 0, nowMs: () => clock.ms };
  const open = () => new PutAside(sqlitePutAside(database), clock);
  const one = open();
  const agentOf = () => 'clerk';
  await one.addRuns('poison', ['run-1', 'run-2'], agentOf);
  await one.addRuns('other', ['run-2'], agentOf);
  await one.addRuns('nothing', [], agentOf);
  for (const aside of [one, open()]) expect(aside.runs()).toEqual(['run-1', 'run-2']);
  expect([one.isRunAside('run-1'), one.isRunAside('run-3'), open().isRunAside('run-2')]).toEqual([true, false, true]);
  clock.ms = 9 * dayMs;
  expect(open().runs()).toEqual([]);
  await one.addRuns('many', Array.from({ length: 10_000 }, (_, index) => `r${index}`), agentOf);
  expect([one.runs().includes('run-1'), one.runs().length]).toEqual([false, 10_000]);
});

it('runs that one sidecar makes up push out its own, and no run of another agent, also after a start', async () => {
  const database = new BatchedDatabase(':memory:');
  const open = () => new PutAside(sqlitePutAside(database), { nowMs: () => 0 });
  const one = open();
  await one.addRuns('poison', ['true-1', 'true-2'], () => 'clerk');
  await one.addRuns('poison', ['unknown'], () => '');
  await one.addRuns('poison', Array.from({ length: 20_000 }, (_, index) => `made-up-${index}`), () => 'mallory');
  for (const aside of [one, open()]) {
    expect(aside.runs()).toHaveLength(10_000);
    expect(['true-1', 'true-2', 'unknown', 'made-up-0', 'made-up-19999'].map((run) => aside.isRunAside(run)))
      .toEqual([true, true, true, false, true]);
  }
});

it('keeps runs of a store from before their agents were kept', async () => {
  const database = new BatchedDatabase(':memory:');
  database.database.exec(`CREATE TABLE run_aside (run TEXT PRIMARY KEY, subject TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    INSERT INTO run_aside VALUES ('run-1', 'poison', 1)`);
  expect(new PutAside(sqlitePutAside(database), { nowMs: () => 0 }).runs()).toEqual(['run-1']);
});

it('is open until it is finished for everybody, whenever the node starts in between, and no longer than a task may last', async () => {
  const database = new BatchedDatabase(':memory:');
  const clock = { ms: 0, nowMs: () => clock.ms };
  const open = () => new PutAside(sqlitePutAside(database), clock);
  const one = open();
  await one.open('poison', ['clerk', 'desk']);
  expect(one.unfinished()).toEqual([]);
  clock.ms = 7 * dayMs;
  expect(open().unfinished()).toEqual([
    { subject: 'poison', agent: null }, { subject: 'poison', agent: 'clerk' }, { subject: 'poison', agent: 'desk' },
  ]);
  await one.finish('poison', null);
  await one.finish('poison', 'clerk');
  expect(open().unfinished()).toEqual([{ subject: 'poison', agent: 'desk' }]);
  clock.ms = 9 * dayMs;
  expect(open().unfinished()).toEqual([]);
});
