// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { decodeBase64Url } from '../identity/jws.ts';
import type { Random } from '../message/clock.ts';

/** Of AES-256-GCM (NIST SP 800-38D). */
export const dataKeyBytes = 32;
export const nonceBytes = 12;
const tagBytes = 16;

/** Both members base64url; the ciphertext ends with the tag. */
export type SealedBytes = { readonly nonce: string; readonly ciphertext: string };

/** AES-256-GCM under a random nonce; `context` is authenticated and not stored. */
export function sealBytes(plain: Uint8Array, key: Uint8Array, context: string, random: Random): SealedBytes {
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const parts = [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return {
    nonce: Buffer.from(nonce).toString('base64url'),
    ciphertext: Buffer.concat(parts).toString('base64url'),
  };
}

/** Null when it was changed, is no base64url, is of another key or context, or longer than `bytesMax`. */
export function openBytes(
  sealed: SealedBytes,
  key: Uint8Array,
  context: string,
  bytesMax: number,
): Buffer | null {
  const bytes = decodeBase64Url(sealed.ciphertext);
  const nonce = Buffer.from(sealed.nonce, 'base64url');
  if (bytes === null) return null;
  const isWhole = nonce.length === nonceBytes && key.length === dataKeyBytes;
  if (!(isWhole && bytes.length >= tagBytes && bytes.length <= bytesMax)) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const plain = decipher.update(bytes.subarray(0, -tagBytes));
    // Throws where the tag does not match; of this mode it adds nothing to what is there.
    decipher.final();
    return plain;
  } catch {
    // The tag does not match: which of them is wrong cannot be told.
    return null;
  }
}
