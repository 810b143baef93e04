// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ledgerSuite } from '../bounds/ledger.suite.ts';
import { lineageStoreSuite } from '../bounds/lineage.suite.ts';
import { superiorsOf, stepsOf, type HandOver } from '../bounds/lineage.ts';
import { SqliteLedgerStore, SqliteLineageStore } from './bounds-store-sqlite.ts';
import { BatchedDatabase } from './sqlite-batch.ts';

const directory = mkdtempSync(join(tmpdir(), 'maso-bounds-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

ledgerSuite('SQLite', () => new SqliteLedgerStore(new BatchedDatabase(':memory:')));

lineageStoreSuite('SQLite', () => {
  const database = new BatchedDatabase(':memory:');
  return { open: () => new SqliteLineageStore(database) };
});

describe('SqliteLedgerStore', () => {
  it('finds everything again after the process ended without closing', async () => {
    const path = join(directory, 'ledger.sqlite');
    const first = new SqliteLedgerStore(new BatchedDatabase(path));
    await first.change((ledger) => {
      ledger.add({ key: 'a', endMs: 100, units: 9 }, 1000);
      ledger.noteTime(77);
    });
    const second = new SqliteLedgerStore(new BatchedDatabase(path));
    expect(second.view.sum('a', 0)).toBe(9);
    expect(second.view.latestMs()).toBe(77);
  });
});

describe('SqliteLineageStore', () => {
  const step = (by: string, to: string, task = 't1'): HandOver => ({ task, by, to });
  const isRoot = (agent: string): boolean => agent === 'root';
  const above = (task: string, agent: string, store: SqliteLineageStore): readonly string[] =>
    [...superiorsOf(task, agent, store, isRoot)].toSorted();

  async function lineage(...messages: readonly HandOver[]): Promise<SqliteLineageStore> {
    const store = new SqliteLineageStore(new BatchedDatabase(':memory:'));
    for (const message of messages) await store.add(stepsOf(message, store, isRoot), 1);
    return store;
  }

  it('names everybody above an agent in its task, and nobody of another task', async () => {
    const store = await lineage(step('a', 'b'), step('b', 'c'), step('x', 'c', 't2'));
    expect(above('t1', 'c', store)).toEqual(['a', 'b']);
    expect(above('t2', 'c', store)).toEqual(['x']);
    expect(above('t1', 'a', store)).toEqual([]);
  });

  it('lets nobody become the superior of its own by answering, nor of a root at all', async () => {
    const store = await lineage(
      step('root', 'a'), step('a', 'b'), step('b', 'a'), step('b', 'c'), step('c', 'a'),
      step('c', 'root', 't2'),
    );
    expect(above('t1', 'a', store)).toEqual(['root']);
    expect(above('t2', 'root', store)).toEqual([]);
  });

  it('keeps every one of several who handed the same task on', async () => {
    const store = await lineage(step('a', 'b'), step('a', 'c'), step('b', 'd'), step('c', 'd'));
    expect(above('t1', 'd', store)).toEqual(['a', 'b', 'c']);
  });

  it('counts a task that an agent started by itself to those who ever handed it work', async () => {
    const store = await lineage(step('root', 'a'), step('a', 'b'), step('b', 'c', 't9'));
    expect(above('t9', 'b', store)).toEqual(['a', 'root']);
    expect(above('t9', 'c', store)).toEqual(['a', 'b', 'root']);
    expect(above('t10', 'c', store)).toEqual(['a', 'b', 'root']);
  });
});
