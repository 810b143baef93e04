// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto';
import { dirname } from 'node:path';
import type { Kms } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { Random } from '../message/clock.ts';
import { createOwnerOnly, makeOwnerOnlyDirectory, readOwnerOnly } from './credential-file.ts';

/**
 * Format: `MKMS`, version 1, kind of key, 16 bytes of salt (zero for a key file), 12 of nonce, the
 * ciphertext, 16 of tag. Everything before the ciphertext, and the context, is authenticated.
 */
const magic = Buffer.from('MKMS');
const version = 1;
const kinds = { keyFile: 1, passphrase: 2 } as const;
const saltAt = 6;
const nonceAt = 22;
const sealedAt = 34;
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/** OWASP's figure for scrypt: 128 MiB and about half a second per guess. */
const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 192 * 1024 * 1024 };
const passphraseLengthMin = 12;
const derivedKeysMax = 8;

type KeySource = {
  readonly kind: number;
  readonly salt: Uint8Array;
  readonly keyFor: (salt: Uint8Array) => Promise<Buffer>;
};

/**
 * A `Kms` whose key is the 32 bytes of a file of mode 0600, made on first use. Rejects with
 * KMS_KEY_EXPOSED when group or others may read it and KMS_KEY_INVALID when it is not a key.
 */
export async function openKeyFileKms(keyFile: string, random: Random): Promise<Kms> {
  const key = await loadOrCreateKey(keyFile, random);
  return kmsOf(
    { kind: kinds.keyFile, salt: new Uint8Array(saltBytes), keyFor: () => Promise.resolve(key) },
    random,
  );
}

/**
 * A `Kms` whose key is derived from a passphrase of at least 12 characters with scrypt. The first
 * use of a salt takes about half a second and 128 MiB.
 */
export async function openPassphraseKms(passphrase: string, random: Random): Promise<Kms> {
  if (!(passphrase.length >= passphraseLengthMin)) {
    throw new IdentityError('KMS_KEY_INVALID', 'The passphrase is too short.');
  }
  const derived = new Map<string, Promise<Buffer>>();
  const keyFor = (salt: Uint8Array): Promise<Buffer> => {
    const id = Buffer.from(salt).toString('base64url');
    const known = derived.get(id);
    if (known !== undefined) return known;
    const key = deriveKey(passphrase, salt);
    if (derived.size >= derivedKeysMax) derived.clear();
    derived.set(id, key);
    return key;
  };
  return kmsOf({ kind: kinds.passphrase, salt: random.bytes(saltBytes), keyFor }, random);
}

function kmsOf(source: KeySource, random: Random): Kms {
  return {
    async wrap(plain, context) {
      const head = Buffer.concat([
        magic,
        Buffer.from([version, source.kind]),
        source.salt,
        random.bytes(nonceBytes),
      ]);
      const cipher = createCipheriv(
        'aes-256-gcm',
        await source.keyFor(source.salt),
        head.subarray(nonceAt),
      );
      cipher.setAAD(Buffer.concat([head, Buffer.from(context, 'utf8')]));
      return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },

    async unwrap(wrapped, context) {
      const bytes = Buffer.from(wrapped);
      if (!isOfFormat(bytes, source.kind)) throw unwrapFailed();
      const key = await source.keyFor(bytes.subarray(saltAt, nonceAt));
      const head = bytes.subarray(0, sealedAt);
      const decipher = createDecipheriv('aes-256-gcm', key, head.subarray(nonceAt), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.concat([head, Buffer.from(context, 'utf8')]));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      try {
        const opened = decipher.update(bytes.subarray(sealedAt, -tagBytes));
        return Buffer.concat([opened, decipher.final()]);
      } catch {
        // The tag does not match: which of key, context or bytes is wrong cannot be told.
        throw unwrapFailed();
      }
    },
  };
}

function isOfFormat(bytes: Buffer, kind: number): boolean {
  const head = Buffer.from([...magic, version, kind]);
  return bytes.length >= sealedAt + tagBytes && bytes.subarray(0, saltAt).equals(head);
}

async function loadOrCreateKey(keyFile: string, random: Random): Promise<Buffer> {
  try {
    const known = await readOwnerOnly(keyFile);
    if (known.state !== 'absent') return acceptKey(known);
    await makeOwnerOnlyDirectory(dirname(keyFile));
    await createOwnerOnly(keyFile, random.bytes(keyBytes));
    // Another process may have been first; what stands in the file is the key.
    return acceptKey(await readOwnerOnly(keyFile));
  } catch (failure) {
    if (failure instanceof IdentityError) throw failure;
    throw new IdentityError('KMS_KEY_INVALID', 'The key file cannot be read or written.', {
      cause: failure,
    });
  }
}

function acceptKey(file: Awaited<ReturnType<typeof readOwnerOnly>>): Buffer {
  if (file.state === 'exposed') {
    throw new IdentityError('KMS_KEY_EXPOSED', 'Others may read the key file.');
  }
  if (file.state === 'absent' || file.bytes.length !== keyBytes) {
    throw new IdentityError('KMS_KEY_INVALID', 'The key file does not hold a 256-bit key.');
  }
  return file.bytes;
}

function deriveKey(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // NFKC: the same passphrase typed on another keyboard gives the same key.
    scrypt(passphrase.normalize('NFKC'), salt, keyBytes, scryptCost, (failure, key) => {
      if (failure === null) resolve(key);
      else reject(new IdentityError('KMS_KEY_INVALID', 'No key was derived.', { cause: failure }));
    });
  });
}

function unwrapFailed(): IdentityError {
  return new IdentityError('KMS_UNWRAP_FAILED', 'The wrapped value does not open.');
}
