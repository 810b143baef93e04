// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { endless } from './charge.ts';
import type { LedgerStore } from './ledger.ts';

const slice = { key: 'a', endMs: 200, units: 30 };

/** Every implementation of `LedgerStore` passes this. */
export function ledgerSuite(name: string, open: () => LedgerStore): void {
  describe(`${name} as a ledger`, () => {
    it('undoes all of a change that throws, and goes on', async () => {
      const store = open();
      const failing = store.change((ledger) => {
        ledger.add(slice, 1000);
        ledger.saveAllotment({ id: 'x', executor: 'e', holders: [], charged: [] }, 1000);
        ledger.saveBreaker('b', { state: 'open', sinceMs: 1 });
        ledger.release('a', 10);
        ledger.noteTime(5);
        throw new Error('by the test');
      });
      await expect(failing).rejects.toThrow();
      await store.change((ledger) => {
        expect(ledger.sum('a', 0)).toBe(0);
        expect(ledger.allotment('x')).toBe(null);
        expect(ledger.breaker('b')).toBe(null);
        expect(ledger.releasedUntilMs('a')).toBe(0);
        expect(ledger.latestMs()).toBe(0);
      });
    });

    it('sums what ends after a moment, whole slices, and no other key', async () => {
      const store = open();
      await store.change((ledger) => {
        ledger.add(slice, 1000);
        ledger.add(slice, 1000);
        ledger.add({ key: 'a', endMs: 300, units: 5 }, 1000);
        ledger.add({ key: 'b', endMs: 200, units: 7 }, 1000);
      });
      expect(store.view.sum('a', -Infinity)).toBe(65);
      expect(store.view.sum('a', 199)).toBe(65);
      expect(store.view.sum('a', 200)).toBe(5);
      expect(store.view.sum('a', 300)).toBe(0);
      expect(store.view.sum('c', 0)).toBe(0);
    });

    it('takes back from a slice, and from none that is forgotten', async () => {
      const store = open();
      await store.change((ledger) => {
        ledger.add(slice, 1000);
        ledger.takeBack({ ...slice, units: 10 });
        ledger.takeBack({ key: 'gone', endMs: 1, units: 10 });
      });
      expect(store.view.sum('a', 0)).toBe(20);
      expect(store.view.sum('gone', 0)).toBe(0);
    });

    it('keeps allotments, breakers and releases until they are replaced', async () => {
      const store = open();
      const allotment = { id: 'x', executor: 'e', holders: ['r1'], charged: [slice] };
      await store.change((ledger) => {
        ledger.saveAllotment(allotment, 1000);
        ledger.saveBreaker('b', { state: 'closed', failedAtMs: [1, 2] });
        ledger.release('a', 10);
        ledger.release('a', 5);
        ledger.noteTime(50);
        ledger.noteTime(40);
      });
      await store.change((ledger) => {
        expect(ledger.allotment('x')).toEqual(allotment);
        expect(ledger.breaker('b')).toEqual({ state: 'closed', failedAtMs: [1, 2] });
        expect(ledger.releasedUntilMs('a')).toBe(10);
        expect(ledger.latestMs()).toBe(50);
        ledger.dropAllotment('x');
        expect(ledger.allotment('x')).toBe(null);
      });
    });

    it('forgets no slice, allotment or release that is still to be kept', async () => {
      const store = open();
      await store.change((ledger) => {
        ledger.add(slice, 1000);
        ledger.add({ key: 'all', endMs: endless, units: 1 }, 2000);
        ledger.saveAllotment({ id: 'x', executor: 'e', holders: [], charged: [] }, 1000);
        ledger.release('a', 1000);
      });
      await store.prune(1000);
      expect(store.view.sum('a', 0)).toBe(30);
      await store.prune(1001);
      expect(store.view.sum('a', 0)).toBe(0);
      expect(store.view.sum('all', 1e15)).toBe(1);
      await store.change((ledger) => {
        expect(ledger.allotment('x')).toBe(null);
        expect(ledger.releasedUntilMs('a')).toBe(0);
      });
    });
  });
}
