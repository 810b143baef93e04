// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { generateKeyPair, KeyObject, webcrypto } from 'node:crypto';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import * as x509 from '@peculiar/x509';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { makeOwnerOnlyDirectory, readOwnerOnly, writeOwnerOnly } from './credential-file.ts';

const generate = promisify(generateKeyPair);
const ed25519 = { name: 'Ed25519' };
const keyForm = /-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END PRIVATE KEY-----/;

/** A key pair that waits for its certificate; the private key stays with who made it. */
export type NewKey = { readonly privateKey: KeyObject; readonly csrPem: string };

/**
 * Makes an Ed25519 key pair and a signing request that proves its possession (PKCS #10). The
 * request names nobody: the authority gives the name.
 */
export async function newKey(): Promise<NewKey> {
  const { privateKey, publicKey } = await generate('ed25519');
  const csr = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      keys: {
        privateKey: privateKey.toCryptoKey(ed25519, true, ['sign']),
        publicKey: publicKey.toCryptoKey(ed25519, true, ['verify']),
      },
      signingAlgorithm: ed25519,
    },
    webcrypto,
  );
  return { privateKey, csrPem: csr.toString('pem') };
}

/**
 * Saves key and chain in one file of mode 0600, replaced as a whole: a crash never leaves the key
 * of one certificate beside another. Throws IDENTITY_CREDENTIAL_UNAVAILABLE when not durable.
 */
export async function saveCredential(path: string, credential: Credential): Promise<void> {
  const key = credential.privateKey.export({ format: 'pem', type: 'pkcs8' });
  try {
    await makeOwnerOnlyDirectory(dirname(path));
    await writeOwnerOnly(path, Buffer.from(`${key}${credential.chainPem}`));
  } catch (failure) {
    throw new IdentityError('IDENTITY_CREDENTIAL_UNAVAILABLE', 'The credential is not saved.', {
      cause: failure,
    });
  }
}

/**
 * The saved credential, or null when none was saved. Throws `IdentityError`:
 * IDENTITY_CREDENTIAL_CORRUPT when it is damaged, IDENTITY_CREDENTIAL_EXPOSED when others may read
 * it, IDENTITY_CREDENTIAL_UNAVAILABLE when it cannot be read. Expiry is the caller's to check.
 */
export async function loadCredential(path: string): Promise<Credential | null> {
  let file;
  try {
    file = await readOwnerOnly(path);
  } catch (failure) {
    throw new IdentityError('IDENTITY_CREDENTIAL_UNAVAILABLE', 'The credential is unreadable.', {
      cause: failure,
    });
  }
  if (file.state === 'absent') return null;
  if (file.state === 'exposed') {
    throw new IdentityError('IDENTITY_CREDENTIAL_EXPOSED', 'Others may read the credential.');
  }
  const text = file.bytes.toString('latin1');
  const [keyPem] = keyForm.exec(text) ?? [];
  if (keyPem === undefined) {
    throw new IdentityError('IDENTITY_CREDENTIAL_CORRUPT', 'The credential holds no key.');
  }
  const credential = credentialFromPem(text.replace(keyPem, '').trimStart(), keyPem);
  file.bytes.fill(0);
  return credential;
}
