// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { IdentityError } from './identity-error.ts';

/** Characters of an Ed25519 signature in base64url: 64 bytes. */
const signatureLength = 86;

/** The received parts of a compact JWS (RFC 7515, 3.1); nothing in them has been believed yet. */
export type CompactJws = {
  /** Protected header, decoded; latin1, so that every byte is one character. */
  readonly header: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** What was signed: header part, dot, payload part, as received. */
  readonly signingInput: string;
};

/**
 * Splits a compact JWS. Null unless it is exactly three base64url parts without padding, whitespace
 * or stray trailing bits, the last one of 64 bytes: two texts never decode to one envelope.
 */
export function splitCompactJws(jws: string): CompactJws | null {
  const first = jws.indexOf('.');
  const last = jws.length - signatureLength - 1;
  if (!(first > 0 && first < last && jws.charCodeAt(last) === 0x2e)) return null;
  const header = decodeBase64Url(jws.slice(0, first));
  const payload = decodeBase64Url(jws.slice(first + 1, last));
  const signature = decodeBase64Url(jws.slice(last + 1));
  if (header === null || payload === null || signature === null) return null;
  const signingInput = jws.slice(0, last);
  return { header: header.toString('latin1'), payload, signature, signingInput };
}

/** RFC 4648 section 5 without padding; null unless the text is the one encoding of its bytes. */
export function decodeBase64Url(text: string): Buffer | null {
  // The decoder skips what it does not know, so only the way back proves that nothing was skipped.
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

/**
 * Signs `payload` under a header that is already base64url. Throws IDENTITY_CREDENTIAL_CORRUPT when
 * the key is not an Ed25519 private key.
 */
export function signCompactJws(headerPart: string, payload: string, privateKey: KeyObject): string {
  if (privateKey.asymmetricKeyType !== 'ed25519' || privateKey.type !== 'private') {
    throw new IdentityError('IDENTITY_CREDENTIAL_CORRUPT', 'The signing key is not Ed25519.');
  }
  const signingInput = `${headerPart}.${Buffer.from(payload, 'utf8').toString('base64url')}`;
  const signature = sign(null, Buffer.from(signingInput, 'latin1'), privateKey);
  return `${signingInput}.${signature.toString('base64url')}`;
}

/** True only for an Ed25519 signature over the received bytes; any other key type is false. */
export function verifyCompactJws(jws: CompactJws, publicKey: KeyObject): boolean {
  if (publicKey.asymmetricKeyType !== 'ed25519') return false;
  return verify(null, Buffer.from(jws.signingInput, 'latin1'), publicKey, jws.signature);
}
