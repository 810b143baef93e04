// SPDX-License-Identifier: Apache-2.0
import { generateKeyPair } from 'node:crypto';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { IdentityError } from '../identity/identity-error.ts';
import { readOperatorKey } from '../identity/operator-key.ts';
import type { OperatorKey } from '../identity/operator-key.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { createOwnerOnly, makeOwnerOnlyDirectory, readOwnerOnly } from './credential-file.ts';

const generate = promisify(generateKeyPair);

/**
 * Makes an operator's Ed25519 key as a JWK file of mode 0600; an existing file is never replaced
 * but loaded. Put `publicJwk` into the mesh file. Throws as `loadOperatorKey` does.
 */
export async function loadOrCreateOperatorKey(path: string): Promise<OperatorKey> {
  const { privateKey } = await generate('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  try {
    await makeOwnerOnlyDirectory(dirname(path));
    await createOwnerOnly(path, Buffer.from(`${JSON.stringify(jwk)}\n`));
  } catch (failure) {
    throw unavailable(failure);
  }
  return loadOperatorKey(path);
}

/**
 * Loads an operator's private JWK. Throws `IdentityError`: IDENTITY_CREDENTIAL_EXPOSED when others
 * may read the file, IDENTITY_OPERATOR_KEY_INVALID when it is absent or holds no Ed25519 key pair,
 * IDENTITY_CREDENTIAL_UNAVAILABLE when it cannot be read.
 */
export async function loadOperatorKey(path: string): Promise<OperatorKey> {
  let file;
  try {
    file = await readOwnerOnly(path);
  } catch (failure) {
    throw unavailable(failure);
  }
  if (file.state === 'exposed') {
    throw new IdentityError('IDENTITY_CREDENTIAL_EXPOSED', 'Others may read the operator key.');
  }
  const json = file.state === 'read' ? parseStrictJson(file.bytes) : null;
  if (json === null || !json.ok) {
    throw new IdentityError('IDENTITY_OPERATOR_KEY_INVALID', 'There is no operator key.');
  }
  return readOperatorKey(json.value);
}

function unavailable(cause: unknown): IdentityError {
  return new IdentityError('IDENTITY_CREDENTIAL_UNAVAILABLE', 'The key file cannot be used.', {
    cause,
  });
}
