// SPDX-License-Identifier: Apache-2.0
import { afterEach } from 'vitest';
import type { ItemStore } from '../../src/knowledge/item-store.ts';
import { itemStoreSuite } from '../../src/knowledge/item-store.suite.ts';

type ClosableStore = ItemStore & { readonly close: () => Promise<void> };

/**
 * Registers the suite of every store, each test in a schema of its own. Gives what keeps another store open
 * until its test has ended.
 */
export function postgresStoreSuite(
  storeOf: (schema: string) => Promise<ClosableStore>,
): (store: Promise<ClosableStore>) => void {
  const opened: Promise<ClosableStore>[] = [];
  let schemas = 0;
  afterEach(async () => {
    for (const one of opened.splice(0)) await (await one).close();
  });
  /** Opened as the node does it, at the first call. */
  const open = (schema: string): ItemStore => {
    let opening: Promise<ClosableStore> | null = null;
    return new Proxy({} as ItemStore, {
      get: (_, name) => async (...given: unknown[]) => {
        if (opening === null) opened.push(opening = storeOf(schema));
        const store = await opening;
        return Reflect.apply(Reflect.get(store, name) as () => unknown, store, given);
      },
    });
  };
  itemStoreSuite(() => {
    schemas += 1;
    const schema = `suite_${schemas}`;
    return { store: open(schema), again: () => open(schema) };
  });
  return (store) => void opened.push(store);
}
