// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentityCode } from '../identity/codes.ts';
import type { SvidFiles } from '../identity/svid-files.ts';
import { readOwnerOnly } from './credential-file.ts';

const bytesMax = 1_048_576;

export type SvidDirectoryReading =
  | { readonly ok: true; readonly files: SvidFiles }
  | { readonly ok: false; readonly code: IdentityCode };

/**
 * Reads `svid.pem`, `svid_key.pem` and `bundle.pem`. The key is read like every private key here: a
 * plain file that its owner alone may read. Links to folders are followed, so that a whole set can be
 * replaced at once; never throws.
 */
export async function readSvidDirectory(directory: string): Promise<SvidDirectoryReading> {
  try {
    const key = await readOwnerOnly(join(directory, 'svid_key.pem'));
    if (key.state === 'exposed') return { ok: false, code: 'IDENTITY_CREDENTIAL_EXPOSED' };
    if (key.state === 'absent') return { ok: false, code: 'IDENTITY_CREDENTIAL_UNAVAILABLE' };
    const chainPem = await readText(join(directory, 'svid.pem'));
    const bundlePem = await readText(join(directory, 'bundle.pem'));
    return { ok: true, files: { chainPem, keyPem: key.bytes.toString('latin1'), bundlePem } };
  } catch {
    // Absent, unreadable or endless: nothing of it is used.
    return { ok: false, code: 'IDENTITY_CREDENTIAL_UNAVAILABLE' };
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > bytesMax) throw new Error('Not a certificate file.');
    return (await file.readFile()).toString('latin1');
  } finally {
    await file.close();
  }
}
