// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { IdentityError } from './identity-error.ts';
import { algorithmOf, hashOf, isLow, lowered, signatureInput } from './key-algorithm.ts';
import type { SignatureAlgorithm } from './key-algorithm.ts';

/** Bytes of a signature: Ed25519 and P-256, P-384, and RSA of 2048 to 4096 bits. */
const curveBytes: readonly number[] = [64, 96];
const rsaBytesMin = 256;
const rsaBytesMax = 512;
/** Characters of the longest signature in base64url, and the dot before it. */
export const signatureLengthMax = 684;

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
 * or stray trailing bits, the last as long as some signature is: two texts never decode to one.
 */
export function splitCompactJws(jws: string): CompactJws | null {
  const first = jws.indexOf('.');
  const last = jws.lastIndexOf('.');
  const isBounded = jws.length - last <= signatureLengthMax;
  if (!(first > 0 && first < last && isBounded)) return null;
  const header = decodeBase64Url(jws.slice(0, first));
  const payload = decodeBase64Url(jws.slice(first + 1, last));
  const signature = decodeBase64Url(jws.slice(last + 1));
  if (header === null || payload === null || signature === null) return null;
  if (!isSignatureLength(signature.length)) return null;
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
 * Signs `payload` under a header that is already base64url and names the key's algorithm. Throws
 * IDENTITY_CREDENTIAL_CORRUPT when the key is no private key that the mesh signs with.
 */
export function signCompactJws(headerPart: string, payload: string, privateKey: KeyObject): string {
  const algorithm = signingAlgorithm(privateKey);
  const signingInput = `${headerPart}.${Buffer.from(payload, 'utf8').toString('base64url')}`;
  const bytes = Buffer.from(signingInput, 'latin1');
  const signature = algorithm === 'EdDSA'
    ? sign(null, bytes, privateKey)
    : lowered(sign(hashOf(algorithm), bytes, signatureInput(privateKey, algorithm)), algorithm);
  return `${signingInput}.${signature.toString('base64url')}`;
}

/** The algorithm of a private key. Throws IDENTITY_CREDENTIAL_CORRUPT when it has none. */
export function signingAlgorithm(privateKey: KeyObject): SignatureAlgorithm {
  const algorithm = privateKey.type === 'private' ? algorithmOf(privateKey) : null;
  if (algorithm !== null) return algorithm;
  throw new IdentityError('IDENTITY_CREDENTIAL_CORRUPT', 'Nothing is signed with such a key.');
}

/**
 * True only for a signature over the received bytes by this key, in the one algorithm that the key
 * has, where the header named that algorithm. An attacker chooses the header, and so the name.
 */
export function verifyCompactJws(
  jws: CompactJws,
  named: SignatureAlgorithm,
  publicKey: KeyObject,
): boolean {
  const algorithm = algorithmOf(publicKey);
  if (algorithm === null || algorithm !== named) return false;
  const bytes = Buffer.from(jws.signingInput, 'latin1');
  if (algorithm === 'EdDSA') return verify(null, bytes, publicKey, jws.signature);
  if (!isLow(jws.signature, algorithm)) return false;
  const input = signatureInput(publicKey, algorithm);
  return verify(hashOf(algorithm), bytes, input, jws.signature);
}

function isSignatureLength(bytes: number): boolean {
  return curveBytes.includes(bytes) || (bytes >= rsaBytesMin && bytes <= rsaBytesMax);
}
