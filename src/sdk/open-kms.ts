// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { openKms as openKmsOf } from '../adapters/kms-file.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Kms } from '../identity/credential.ts';

/**
 * A `Kms` for `MeshSecurityController`: a key file, made with mode 0600 on first use, or what a file
 * of `maso up --kms` names. Rejects with the codes KMS_KEY_INVALID and KMS_KEY_EXPOSED.
 */
export function openKms(
  options: { readonly keyFile: string } | { readonly file: string; readonly keyFile: string },
): Promise<Kms> {
  const file = 'file' in options ? options.file : null;
  return openKmsOf(file, options.keyFile, systemRandom, systemClock());
}
