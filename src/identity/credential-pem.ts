// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readCertificatesPem, spiffeIdOf, thumbprintOf } from './certificate.ts';
import type { Credential } from './credential.ts';
import { IdentityError } from './identity-error.ts';
import { algorithmOf } from './key-algorithm.ts';
import { statementOf } from './svid-statement.ts';

/**
 * Joins a certificate chain (leaf first, PEM) and its private key. Throws `IdentityError`
 * IDENTITY_CREDENTIAL_CORRUPT unless the leaf is an SVID and the key its own, of a kind that the mesh
 * signs with. Neither trust nor expiry is checked here.
 */
export function credentialFromPem(chainPem: string, privateKey: KeyObject | string): Credential {
  const key = typeof privateKey === 'string' ? readPrivateKey(privateKey) : privateKey;
  const [leaf] = readCertificatesPem(chainPem) ?? [];
  if (leaf === undefined) throw corrupt('The chain holds no readable certificate.');
  const id = spiffeIdOf(leaf);
  if (id === null) throw corrupt('The certificate holds no SPIFFE id.');
  const reading = statementOf(leaf);
  if (!reading.ok) throw corrupt('The certificate says something that cannot be read.');
  const paired =
    key.type === 'private' && algorithmOf(key) !== null && leaf.checkPrivateKey(key);
  if (!paired) throw corrupt('Key and certificate are not one pair that may sign.');
  return {
    spiffeId: id.text,
    chainPem,
    privateKey: key,
    thumbprint: thumbprintOf(leaf),
    notBeforeMs: leaf.validFromDate.getTime(),
    expiresAtMs: leaf.validToDate.getTime(),
    lineage: reading.statement?.lineage ?? null,
  };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: an OpenSSL error may quote the text it failed on.
    throw corrupt('The private key cannot be read.');
  }
}

function corrupt(message: string): IdentityError {
  return new IdentityError('IDENTITY_CREDENTIAL_CORRUPT', message);
}
