// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { RevocationChange } from '../identity/revocation.ts';
import type { RevocationStore } from './revocations.ts';

const nowMs = 1_760_000_000_000;

function step(version: number, at = nowMs): RevocationChange {
  const target = { kind: 'instance', value: `spiffe://maso.local/agent/payments/${version}` } as const;
  return { version, id: `id-${version}`, op: 'revoke', target, at, signed: 'signed' };
}

/** What every `RevocationStore` does; `open` opens the same disk again, a new one per test. */
export function revocationStoreSuite(
  name: string,
  create: () => { readonly open: () => RevocationStore },
): void {
  describe(`${name} as a revocation store`, () => {
    it('begins with an empty list', () => {
      const store = create().open();
      expect(store.load(nowMs).changes()).toEqual([]);
      expect([store.byId('id-1'), store.unrecorded()]).toEqual([null, []]);
    });

    it('has its steps after a restart, and those that are not on record', async () => {
      const disk = create();
      const store = disk.open();
      await store.add([step(1), step(2)], 2);
      await store.recorded(1);
      for (const one of [store, disk.open()]) {
        expect(one.load(nowMs).changes()).toEqual([step(1), step(2)]);
        expect(one.unrecorded()).toEqual([step(2)]);
        expect(one.byId('id-2')).toEqual(step(2));
        expect(one.byId('id-3')).toBeNull();
      }
    });

    it('never goes back to an older version, also when all it held is dead', async () => {
      const disk = create();
      const store = disk.open();
      await store.add([step(5, 0)], 5);
      await store.add([], 3);
      for (const one of [store, disk.open()]) {
        const list = one.load(nowMs);
        expect(list.changes()).toEqual([]);
        expect(list.version).toBe(5);
      }
    });
  });
}
