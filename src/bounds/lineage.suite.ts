// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { LineageStore } from './lineage.ts';

/** What every `LineageStore` does; `open` opens the same disk again, a new one per test. */
export function lineageStoreSuite(name: string, create: () => { readonly open: () => LineageStore }): void {
  describe(`${name} as a lineage store`, () => {
    it('tells who handed whom a task, by task and over all tasks, also after a restart', async () => {
      const disk = create();
      const store = disk.open();
      await store.add([
        { task: 't1', by: 'a', to: 'b' },
        { task: 't1', by: 'c', to: 'b' },
        { task: 't1', by: 'a', to: 'b' },
        { task: 't2', by: 'd', to: 'b' },
      ], 1);
      for (const one of [store, disk.open()]) {
        expect(one.handedBy('t1', 'b').toSorted()).toEqual(['a', 'c']);
        expect(one.handedBy('t2', 'b')).toEqual(['d']);
        expect(one.everHandedBy('b').toSorted()).toEqual(['a', 'c', 'd']);
        expect([one.handedBy('t1', 'a'), one.everHandedBy('a')]).toEqual([[], []]);
      }
    });

    it('forgets what was handed over before, and nothing later', async () => {
      const store = create().open();
      await store.add([{ task: 't1', by: 'a', to: 'b' }], 1_000);
      await store.add([{ task: 't2', by: 'c', to: 'b' }], 2_000);
      await store.prune(2_000);
      expect(store.everHandedBy('b')).toEqual(['c']);
    });
  });
}
