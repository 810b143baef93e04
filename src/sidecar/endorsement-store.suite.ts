// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EndorsementStore } from './endorsements.ts';

/** What every `EndorsementStore` does; `open` opens the same disk again, a new one per test. */
export function endorsementStoreSuite(
  name: string,
  create: () => { readonly open: () => EndorsementStore },
): void {
  describe(`${name} as an endorsement store`, () => {
    it('has after a restart what was kept, until it ends', async () => {
      const disk = create();
      const store = disk.open();
      await store.keep(new Map([['a', 1_000], ['b', 2_000]]), 0);
      await store.keep(new Map([['a', 3_000]]), 0);
      for (const one of [store, disk.open()]) {
        expect(new Map(one.load(0))).toEqual(new Map([['a', 3_000], ['b', 2_000]]));
        expect(new Map(one.load(2_000))).toEqual(new Map([['a', 3_000]]));
      }
    });

    it('does not pile up what has ended', async () => {
      const store = create().open();
      await store.keep(new Map([['a', 1_000]]), 0);
      await store.keep(new Map([['b', 2_000]]), 1_000);
      expect([...store.load(0).keys()]).toEqual(['b']);
    });
  });
}
