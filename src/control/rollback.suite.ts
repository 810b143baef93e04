// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { RollbackStore, Undo } from './rollback.ts';

const undo = (incident: string, request: string, change: Partial<Undo> = {}): Undo => ({
  incident, request, at: 1, action: 'stage', requester: 'planner', executor: 'payments', reversibility: 'reversible',
  undo: 'drop', state: 'waiting', code: null, ...change,
});

/** What every store of rollbacks keeps to; `open` gives a store over the same disk each time. */
export function rollbackStoreSuite(name: string, open: () => RollbackStore): void {
  describe(`${name} as a store of rollbacks`, () => {
    it('keeps what was begun, and owes executors what waits, with the order that it goes by', async () => {
      const store = open();
      expect(store.isBegun('i1')).toBe(false);
      await store.begin({ incident: 'i1', signed: 'order', at: 100 }, [undo('i1', 'a'), undo('i1', 'b', { executor: 'vault' }),
        undo('i1', 'c', { state: 'people', undo: null })], 0);
      await store.begin({ incident: 'i2', signed: null, at: 200 }, [undo('i2', 'a')], 0);
      const again = open();
      expect([again.isBegun('i1'), again.isBegun('i2'), again.isBegun('i3')]).toEqual([true, true, false]);
      expect(again.waiting('payments', 9)).toEqual([{ undo: undo('i1', 'a'), signed: 'order' }]);
      expect(again.waiting('vault', 9)).toHaveLength(1);
      expect(again.list(9).map(({ incident, request }) => `${incident} ${request}`)).toEqual(['i2 a', 'i1 a', 'i1 b', 'i1 c']);
      expect(again.list(1)).toHaveLength(1);
    });

    it('keeps the state of each call, and forgets what is old', async () => {
      const store = open();
      const done = undo('i1', 'a', { state: 'undone' });
      await store.save(done);
      expect(open().find('i1', 'a')).toEqual(done);
      expect(open().find('i1', 'z')).toBeNull();
      expect(open().waiting('payments', 9)).toEqual([]);
      await store.begin({ incident: 'i3', signed: null, at: 300 }, [], 150);
      expect([open().isBegun('i1'), open().isBegun('i2'), open().find('i1', 'a')]).toEqual([false, true, null]);
    });
  });
}
