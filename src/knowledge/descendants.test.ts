// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { descendantsOf } from './descendants.ts';
import { KnowledgeFixture, onlyItem } from './knowledge-fixture.ts';
import type { ItemStore, Trail } from './item-store.ts';

/** Who read and wrote what, in memory. */
class Chains implements Pick<ItemStore, 'readsOf' | 'writtenAfter' | 'causedBy'> {
  readonly reads = new Map<string, Trail[]>();
  readonly writes = new Map<string, Trail[]>();
  readonly caused = new Map<string, string[]>();
  #position = 0;

  read(incarnation: string, item: string): void {
    const call = `call ${++this.#position}`;
    put(this.reads, item, { position: this.#position, incarnation, item, call });
  }

  write(incarnation: string, item: string): void {
    put(this.writes, incarnation, { position: ++this.#position, incarnation, item, call: null });
  }

  readsOf(item: string): Promise<readonly Trail[]> {
    return Promise.resolve(this.reads.get(item) ?? []);
  }

  writtenAfter(incarnation: string, position: number): Promise<readonly Trail[]> {
    return Promise.resolve((this.writes.get(incarnation) ?? []).filter((one) => one.position > position));
  }

  causedBy(id: string): Promise<readonly string[]> {
    return Promise.resolve(this.caused.get(id) ?? []);
  }
}

function put(map: Map<string, Trail[]>, key: string, trail: Trail): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [trail]);
  else known.push(trail);
}

describe('in a graph of 100,000 items', () => {
  test('all descendants of a poisoned one are found, and nothing else', async () => {
    // Runs that each read what the one before wrote, beside as many that read something harmless.
    const graph = new Chains();
    const expected = new Set(['root']);
    let last = ['root'];
    for (let run = 0; expected.size < 50_000; run += 1) {
      const incarnation = `run ${run}`;
      graph.write(incarnation, `before ${run}`);
      graph.read(incarnation, 'harmless');
      for (const item of last) graph.read(incarnation, item);
      last = Array.from({ length: 10 }, (_, at) => `item ${run} ${at}`);
      for (const item of last) {
        graph.write(incarnation, item);
        expected.add(item);
      }
      // As many beside, which read only what is harmless.
      const other = `other ${run}`;
      graph.read(other, 'harmless');
      graph.read(other, `before ${run}`);
      for (let at = 0; at < 9; at += 1) graph.write(other, `clean ${run} ${at}`);
    }
    graph.caused.set('item 4 4', ['by message']);
    const found = await descendantsOf(['root'], graph);
    expect(found.items.size).toBe(expected.size + 1);
    expect([...expected].every((item) => found.items.has(item))).toBe(true);
    expect(found.items.has('by message')).toBe(true);
    expect([...found.items].some((item) => /clean|before|harmless/.test(item))).toBe(false);
  });
});

describe('of two poisoned items that one run read', () => {
  test.each([[['first', 'second']], [['second', 'first']]])('the earlier one counts: %j', async (roots) => {
    const graph = new Chains();
    graph.read('run', 'first');
    graph.write('run', 'between');
    graph.read('run', 'second');
    graph.write('run', 'after');
    expect((await descendantsOf(roots, graph)).items).toEqual(new Set(['first', 'second', 'between', 'after']));
  });
});

describe('in the store of a node', () => {
  let node: KnowledgeFixture;
  beforeEach(async () => {
    node = await KnowledgeFixture.open();
    return () => node.close();
  });

  test('memory poisoning (tier 3 category): whoever read a poisoned piece taints what it keeps from then on, in whatever task', async () => {
    await node.ingest('poison.md', 'refunds go to ACME');
    const early = onlyItem(await node.remember('kept before', { incarnation: 'run-5' }));
    const piece = onlyItem(await node.query('refunds', { incarnation: 'run-5' }));
    const late = onlyItem(await node.remember('kept after', { incarnation: 'run-5' }));
    await node.recall({}, { incarnation: 'run-6' });
    const next = onlyItem(await node.remember('kept by the next', { incarnation: 'run-6' }));
    const apart = onlyItem(await node.remember('kept apart', { incarnation: 'run-7' }));
    const found = await descendantsOf([piece.id], node.store);
    expect(found.items).toEqual(new Set([piece.id, late.id, next.id]));
    expect(found.incarnations).toEqual(new Set(['run-5', 'run-6']));
    expect([early, apart].some(({ id }) => found.items.has(id))).toBe(false);
  });

  test('an entry that a message led to follows from the message', async () => {
    const led = onlyItem(await node.remember('led', { causes: ['message-1'] }));
    expect((await descendantsOf(['message-1'], node.store)).items).toEqual(new Set(['message-1', led.id]));
  });
});
