// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { vectorLength } from './blind.ts';
import type { StoredItem } from './item.ts';
import { supersededKeptMs, type ItemStore } from './item-store.ts';

const id = (number: number): string => `01JD3K5V7Q8R9S0T1V2W3X${String(number).padStart(4, '0')}`;

export function storedItem(number: number, change: Partial<StoredItem> = {}): StoredItem {
  return {
    id: id(number), shelf: 'memory/a', task: 'task-1', document: null, part: 0, parts: 1,
    label: { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] },
    domain: 'd', roles: ['RETRIEVER'], mandate: null, origin: 'agent:a', readers: null, digest: `d${number}`,
    writtenAt: 1000, expiresAt: 5000, incarnation: null, causes: [], state: 'current', reason: null,
    key: 'k', nonce: 'n', ciphertext: `c${number}`, terms: [], vector: null, ...change,
  };
}

function axis(place: number, other = 0): Float32Array {
  const vector = new Float32Array(vectorLength);
  vector[place] = 1 - other;
  vector[(place + 1) % vectorLength] = other;
  return vector;
}

/** What every store of kept items does; `open` opens one, and again over what the one before left. */
export function itemStoreSuite(open: () => { readonly store: ItemStore; readonly again: () => ItemStore }): void {
  let opened: ReturnType<typeof open>;
  let store: ItemStore;
  const found = async (change: Partial<Parameters<ItemStore['find']>[0]> = {}): Promise<readonly string[]> =>
    (await store.find({ shelf: 'memory/a', task: null, terms: [], nowMs: 1000, limit: 10, ...change })).map((one) => one.id);

  beforeEach(() => {
    opened = open();
    store = opened.store;
  });

  describe('kept items', () => {
    test('are the same when they are read again, also after a crash', async () => {
      const item = storedItem(1, { terms: ['t'], vector: axis(3), causes: ['m'], incarnation: 'run', readers: ['a'] });
      await store.add([item]);
      expect(await store.get(item.id)).toEqual(item);
      expect(await opened.again().get(item.id)).toEqual(item);
      expect(await store.get(id(9))).toBeNull();
    });

    test('are added all or none', async () => {
      await store.add([storedItem(1)]);
      await expect(store.add([storedItem(2), storedItem(1)], [id(1)])).rejects.toThrow();
      expect(await store.get(id(2))).toBeNull();
      expect((await store.get(id(1)))?.state).toBe('current');
    });

    test('are found by shelf, task and every term, newest first, while they are current and not over', async () => {
      await store.add([
        storedItem(1, { terms: ['x', 'y'] }), storedItem(2, { terms: ['x'] }), storedItem(3, { task: 'task-2', terms: ['x'] }),
        storedItem(4, { shelf: 'memory/b', terms: ['x'] }), storedItem(5, { state: 'flagged', terms: ['x'] }),
        storedItem(6, { expiresAt: 1000, terms: ['x'] }),
      ]);
      expect(await found({ terms: ['x'] })).toEqual([id(3), id(2), id(1)]);
      expect(await found({ terms: ['x', 'y'] })).toEqual([id(1)]);
      expect(await found({ terms: ['x'], task: 'task-1', limit: 1 })).toEqual([id(2)]);
      expect(await found({ nowMs: 5000 })).toEqual([]);
    });

    test('are found by nearness, neither superseded nor quarantined ones', async () => {
      const shelf = 'source/s';
      await store.add([
        storedItem(1, { shelf, vector: axis(0) }), storedItem(2, { shelf, vector: axis(0, 0.4), readers: ['a'] }),
        storedItem(3, { shelf, vector: axis(7) }), storedItem(4, { shelf, vector: axis(0), state: 'superseded' }),
        storedItem(5, { shelf, vector: axis(0), state: 'quarantined' }), storedItem(6, { shelf, vector: axis(0), state: 'flagged' }),
      ]);
      const near = await store.nearest(shelf, axis(0), 3, () => true);
      expect(near.map(({ item }) => item.id)).toEqual([id(1), id(6), id(2)]);
      expect(near[0]?.similarity).toBeCloseTo(1);
      const seen = await store.nearest(shelf, axis(0), 1, ({ state, readers }) => state === 'current' && readers !== null);
      expect(seen.map(({ item }) => item.id)).toEqual([id(2)]);
    });

    test('take no place among the nearest once they are over and gone', async () => {
      const shelf = 'source/s';
      await store.add([storedItem(1, { shelf, vector: axis(0) }), storedItem(2, { shelf, vector: axis(0, 0.4), expiresAt: 9000 })]);
      const nearest = async () => (await store.nearest(shelf, axis(0), 1, () => true)).map(({ item }) => item.id);
      expect(await nearest()).toEqual([id(1)]);
      expect(await store.removeExpired(5000)).toBe(1);
      expect(await nearest()).toEqual([id(2)]);
    });

    test('are replaced in the step that adds what replaces them', async () => {
      const of = { shelf: 'source/s', document: 'a.md' };
      await store.add([storedItem(1, of)]);
      await store.add([storedItem(2, of)], [id(1)]);
      expect((await store.document('source/s', 'a.md')).map((one) => one.id)).toEqual([id(2)]);
      expect(await store.get(id(1))).toMatchObject({ state: 'superseded', reason: 'KNOWLEDGE_SUPERSEDED' });
      expect(await store.count('source/s', 1000)).toBe(1);
    });

    test('of an earlier version are removed once no task can need them, and what was read of them stays known', async () => {
      const of = { shelf: 'source/s', document: 'a.md', expiresAt: 8_640_000_000_000_000 };
      await store.add([storedItem(1, of), storedItem(2, of), storedItem(3, of), storedItem(4, of)]);
      await store.noteReads('run', 'call', [id(1)]);
      await store.add([storedItem(5, of)], [id(1), id(2), id(3)]);
      expect(await store.removeExpired(9000)).toBe(0);
      await store.putAside([id(2), id(3)], []);
      await store.add([storedItem(6, of)], [id(4)]);
      expect(await store.removeExpired(9000 + supersededKeptMs - 1)).toBe(0);
      await store.setState([id(3)], 'current', null);
      expect(await opened.again().removeExpired(9000 + supersededKeptMs)).toBe(1);
      expect((await store.list('source/s', '', 10)).map((one) => one.id)).toEqual([id(2), id(3), id(4), id(5), id(6)]);
      expect([await store.get(id(1)), await store.readsOf(id(1))]).toMatchObject([null, [{ incarnation: 'run' }]]);
      expect(await store.removeExpired(9000 + 3 * supersededKeptMs)).toBe(1);
      expect(await store.get(id(2))).toMatchObject({ state: 'quarantined' });
    });

    test('stay aside once they are, unless somebody brings them back', async () => {
      await store.add([storedItem(1)]);
      await store.setState([id(1)], 'quarantined', 'KNOWLEDGE_QUARANTINED');
      await store.setState([id(1)], 'flagged', 'KNOWLEDGE_SUSPECT');
      expect((await store.get(id(1)))?.state).toBe('quarantined');
      await store.setState([id(1)], 'current', null);
      expect(await found()).toEqual([id(1)]);
    });

    test('are gone when they are over, and listed in the order of their ids until then', async () => {
      await store.add([storedItem(2), storedItem(1), storedItem(3, { expiresAt: 9000, shelf: 'memory/b' })]);
      expect((await store.list(null, id(1), 10)).map((one) => one.id)).toEqual([id(2), id(3)]);
      expect((await store.list('memory/b', '', 10)).map((one) => one.id)).toEqual([id(3)]);
      expect(await store.removeExpired(5000)).toBe(2);
      expect((await store.list(null, '', 10)).map((one) => one.id)).toEqual([id(3)]);
    });
  });

  describe('the trail of who read and wrote what', () => {
    test('is in the order in which it happened, and outlives the items', async () => {
      await store.add([storedItem(1, { incarnation: 'run-1' })]);
      await store.noteReads('run-2', 'call-1', [id(1)]);
      await store.add([storedItem(2, { incarnation: 'run-2', causes: ['call-1'] })]);
      const [read] = await store.readsOf(id(1));
      expect(read).toMatchObject({ incarnation: 'run-2', item: id(1), call: 'call-1' });
      const after = await store.writtenAfter('run-2', read?.position ?? -1);
      expect(after.map(({ item, call }) => [item, call])).toEqual([[id(2), null]]);
      expect(await store.writtenAfter('run-2', after[0]?.position ?? -1)).toEqual([]);
      await store.removeExpired(9000);
      expect(await opened.again().causedBy('call-1')).toEqual([id(2)]);
      expect(await store.readsOf(id(1))).toHaveLength(1);
    });
  });

  describe('what was put aside', () => {
    test('is given to nobody, and what its readers write later is put aside from the first', async () => {
      await store.add([storedItem(1), storedItem(2)]);
      expect(await store.noteReads('run-1', 'call-1', [id(2), id(1), id(9)])).toEqual([id(2), id(1)]);
      await store.putAside([id(1)], ['run-1']);
      expect(await store.get(id(1))).toMatchObject({ state: 'quarantined', reason: 'KNOWLEDGE_QUARANTINED' });
      expect([await store.isBarred('run-1'), await store.isBarred('run-2')]).toEqual([true, false]);
      await store.add([storedItem(3, { incarnation: 'run-1' }), storedItem(4, { incarnation: 'run-2' })]);
      expect((await store.get(id(3)))?.state).toBe('quarantined');
      expect((await store.get(id(4)))?.state).toBe('current');
      expect(await store.noteReads('run-1', 'call-2', [id(2)])).toEqual([]);
      expect(await store.noteReads('run-2', 'call-3', [id(1), id(2)])).toEqual([id(2)]);
      expect((await store.readsOf(id(1))).map(({ call }) => call)).toEqual(['call-1']);
      expect(await opened.again().isBarred('run-1')).toBe(true);
    });

    test('has been read on record, or was not handed over, however reads and writes cross it', async () => {
      const runs = Array.from({ length: 8 }, (_, at) => `run-${at}`);
      await store.add([storedItem(1)]);
      const reads = runs.map((run) => store.noteReads(run, `call ${run}`, [id(1)]));
      const aside = store.putAside([id(1)], []);
      const given = await Promise.all(reads);
      await aside;
      const noted = (await store.readsOf(id(1))).map(({ incarnation }) => incarnation).toSorted();
      expect(runs.filter((_, at) => given[at]?.length === 1)).toEqual(noted);
      const writes = runs.map((run, at) => store.add([storedItem(10 + at, { incarnation: run })]));
      const barred = store.putAside([], runs);
      await Promise.all([...writes, barred]);
      for (const [at, run] of runs.entries()) {
        // What was added before the bar stands in the trail of its run, which is searched after it.
        expect(await store.writtenAfter(run, -1)).toHaveLength(1);
        expect(['current', 'quarantined']).toContain((await store.get(id(10 + at)))?.state);
      }
    });
  });

  test('the trail says where a run first read or wrote an item', async () => {
    await store.add([storedItem(1, { incarnation: 'run-1' })]);
    await store.noteReads('run-1', 'call-1', [id(1)]);
    await store.noteReads('run-2', 'call-2', [id(1)]);
    await store.add([storedItem(2, { incarnation: 'run-2' })]);
    const [first, second] = [await store.firstTouch('run-2', id(1)), await store.firstTouch('run-2', id(2))];
    expect(first).not.toBeNull();
    expect(Number(first)).toBeLessThan(Number(second));
    expect(await store.firstTouch('run-1', id(1))).toBeLessThan(Number(first));
    expect(await store.firstTouch('run-1', id(2))).toBeNull();
  });

  test('what changes is found as it is now, also by vectors that were asked for before', async () => {
    const shelf = 'source/s';
    const of = { shelf, document: 'a.md', vector: axis(0) };
    const near = async () => (await store.nearest(shelf, axis(0), 5, () => true)).map(({ item }) => item.id);
    await store.add([storedItem(1, of)]);
    expect(await near()).toEqual([id(1)]);
    await store.add([storedItem(2, of), storedItem(3, { ...of, document: 'b.md' })], [id(1)]);
    expect(await near()).toEqual([id(2), id(3)]);
    await store.putAside([id(3)], []);
    expect(await near()).toEqual([id(2)]);
    await store.setState([id(3)], 'current', null);
    expect(await near()).toEqual([id(2), id(3)]);
    await store.setState([id(2)], 'quarantined', 'KNOWLEDGE_ALTERED');
    expect(await near()).toEqual([id(3)]);
  });
}
