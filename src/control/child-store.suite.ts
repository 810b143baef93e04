// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Child, ChildStore } from './child.ts';

export type ChildStoreCase = { readonly open: () => ChildStore };

const parent = 'spiffe://example.test/agent/triage/one';

function child(change: Partial<Child> = {}): Child {
  return {
    instance: 'i-1',
    name: 'helper-1',
    template: 'helper',
    spiffeId: 'spiffe://example.test/agent/helper-1/i-1',
    lineage: {
      ancestors: [parent],
      task: '01K74F0Z00ABCDEFGHJKMNPQRS',
      depthLeft: 1,
      scope: { tools: [], requests: [], clearance: 'internal' },
      endsAt: 60_000,
    },
    grantable: { tools: [], requests: null, clearance: 'internal' },
    key: 'one',
    incarnation: 'run-1',
    by: 'agent:triage',
    startedAt: 1_000,
    endedAt: null,
    reason: null,
    settled: false,
    ...change,
  };
}

/** What every `ChildStore` does; `open` opens the same disk again, a new one per test. */
export function childStoreSuite(name: string, create: () => ChildStoreCase): void {
  describe(`${name} as a child store`, () => {
    it('finds a child by its parent\'s own name for it, and by nobody else\'s', async () => {
      const store = create().open();
      const one = child();
      await store.save(one);
      expect(store.byKey(parent, one.key)).toEqual(one);
      expect(store.byKey('somebody', one.key)).toBeNull();
      expect(store.byKey(parent, 'another')).toBeNull();
    });

    it('keeps a child over a restart until its end is settled', async () => {
      const disk = create();
      const store = disk.open();
      const one = child();
      await store.save(one);
      expect(disk.open().unsettled()).toEqual([one]);
      const ended: Child = { ...one, endedAt: 2_000, reason: 'TASK_ENDED' };
      await store.save(ended);
      expect(disk.open().unsettled()).toEqual([ended]);
      await store.save({ ...ended, settled: true });
      expect(disk.open().unsettled()).toEqual([]);
    });

    it('forgets what ended before, and nothing that lives', async () => {
      const store = create().open();
      const [old, live] = [child({ key: 'old', instance: 'i-old' }), child({ instance: 'i-live' })];
      await store.save({ ...old, endedAt: 2_000, reason: 'TASK_ENDED', settled: true });
      await store.save(live);
      await store.prune(2_000);
      expect(store.byKey(parent, 'old')).not.toBeNull();
      await store.prune(2_001);
      expect(store.byKey(parent, 'old')).toBeNull();
      expect(store.byKey(parent, live.key)).not.toBeNull();
    });
  });
}
