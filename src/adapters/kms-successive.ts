// SPDX-License-Identifier: Apache-2.0
import type { Kms } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';

/**
 * One `Kms` after others: wraps with the first, and opens with whichever wrapped it. A change from one
 * to another needs no stop: what the earlier ones wrapped opens until it is wrapped again.
 */
export function successiveKms(current: Kms, earlier: readonly Kms[]): Kms {
  if (earlier.length === 0) return current;
  return {
    wrap: (plain, context) => current.wrap(plain, context),
    async unwrap(wrapped, context) {
      for (const kms of [current, ...earlier]) {
        try {
          return await kms.unwrap(wrapped, context);
        } catch (failure) {
          // One that is down may be the one that wrapped it: that is not the same as a wrong secret.
          const isOther = failure instanceof IdentityError && failure.code === 'KMS_UNWRAP_FAILED';
          if (!isOther) throw failure;
        }
      }
      throw new IdentityError('KMS_UNWRAP_FAILED', 'The wrapped value does not open.');
    },
  };
}
