// SPDX-License-Identifier: Apache-2.0
import type { Kms, Wrapped } from '../identity/credential.ts';
import type { DataKeyStore } from './data-key-store.ts';
import { keyContext } from './sealed-payload.ts';

const rewrapBatch = 100;

/**
 * Wraps every stored key with the present KMS; work goes on meanwhile. A key that does not open is
 * reported and left, and no other waits for it. Resolves with those that were left as they were.
 */
export async function rewrapKeys(
  store: DataKeyStore,
  kms: Kms,
  report: (failure: unknown) => void,
): Promise<readonly Wrapped[]> {
  const left: Wrapped[] = [];
  for (let ids = store.ids('', rewrapBatch); ids.length > 0; ids = store.ids(ids.at(-1) ?? '', rewrapBatch)) {
    for (const id of ids) {
      const record = store.get(id);
      if (record === null) continue;
      const context = keyContext(id, record.binding);
      try {
        const bytes = await kms.unwrap(record.wrapped, context);
        await store.rewrapped(id, await kms.wrap(bytes, context));
      } catch (failure) {
        // It stays under its old wrapping, which the operator still has or has lost.
        report(failure);
        left.push({ wrapped: record.wrapped, context });
      }
    }
  }
  return left;
}
