// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { constants } from 'node:crypto';
import type { KeyObject, SignKeyObjectInput } from 'node:crypto';
import { isSoundEd25519 } from './ed25519-key.ts';

/**
 * Algorithms of signatures (RFC 7518, 3.1; RFC 8037). The mesh's own authority certifies Ed25519
 * keys; the others come with SVIDs out of files, as SPIRE issues them. The set is closed, and the
 * key decides: each kind of key has exactly one algorithm, so no header can choose another.
 */
export type SignatureAlgorithm = 'EdDSA' | 'ES256' | 'ES384' | 'PS256';

/** Each is as long as the others, which keeps the forms of headers fixed. */
export const signatureAlgorithms: readonly SignatureAlgorithm[] = [
  'EdDSA', 'ES256', 'ES384', 'PS256',
];

type HashedAlgorithm = Exclude<SignatureAlgorithm, 'EdDSA'>;

/** RSA keys of SVIDs: 2048 to 4096 bits, under the one exponent in use: with a small one anybody signs. */
const rsaBitsMin = 2_048;
const rsaBitsMax = 4_096;
const rsaExponent = 65_537n;

const curves: ReadonlyMap<string, HashedAlgorithm> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
]);

/** Orders of the curves (SEC 2), and the bytes of one half of a signature. */
const orders = {
  ES256: order(32, 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  ES384: order(
    48,
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf' +
      '581a0db248b0a77aecec196accc52973',
  ),
};

/** The algorithm that a key signs with, private or public; null for a key that nobody may use. */
export function algorithmOf(key: KeyObject): SignatureAlgorithm | null {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'EdDSA';
    case 'ec':
      return curves.get(key.asymmetricKeyDetails?.namedCurve ?? '') ?? null;
    case 'rsa':
      return isRsaOf(key, rsaBitsMax) ? 'PS256' : null;
    default:
      return null;
  }
}

/** True for a public key that an SVID may have: one with an algorithm, which binds its holder. */
export function isSoundKey(publicKey: KeyObject): boolean {
  if (publicKey.asymmetricKeyType === 'ed25519') return isSoundEd25519(publicKey);
  return publicKey.type === 'public' && algorithmOf(publicKey) !== null;
}

/** True for the key of an authority: it may be stronger than what SVIDs have, and never weaker. */
export function isSoundAuthorityKey(publicKey: KeyObject): boolean {
  const isLarge = publicKey.asymmetricKeyDetails?.namedCurve === 'secp521r1';
  return isLarge || isRsaOf(publicKey, Infinity) || isSoundKey(publicKey);
}

/** What OpenSSL is told: one padding, one salt length, and both halves of ECDSA side by side. */
export function signatureInput(key: KeyObject, algorithm: HashedAlgorithm): SignKeyObjectInput {
  if (algorithm !== 'PS256') return { key, dsaEncoding: 'ieee-p1363' };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
}

export function hashOf(algorithm: HashedAlgorithm): 'sha256' | 'sha384' {
  return algorithm === 'ES384' ? 'sha384' : 'sha256';
}

/**
 * ECDSA leaves two signatures for one text, and whoever sees one can write the other. Only the lower
 * one is made and believed: else a revoked mandate would return under another id.
 */
export function lowered(signature: Buffer, algorithm: HashedAlgorithm): Buffer {
  if (algorithm === 'PS256' || isLow(signature, algorithm)) return signature;
  const { bytes, n } = orders[algorithm];
  const high = BigInt(`0x${signature.subarray(bytes).toString('hex')}`);
  const low = (n - high).toString(16).padStart(bytes * 2, '0');
  return Buffer.concat([signature.subarray(0, bytes), Buffer.from(low, 'hex')]);
}

/** Whether a signature is of the one form that its algorithm leaves; its length is one of them. */
export function isLow(signature: Buffer, algorithm: HashedAlgorithm): boolean {
  if (algorithm === 'PS256') return true;
  const { bytes, half } = orders[algorithm];
  return signature.length === bytes * 2 && signature.subarray(bytes).compare(half) <= 0;
}

function isRsaOf(key: KeyObject, bitsMax: number): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return key.asymmetricKeyType === 'rsa' && modulusLength >= rsaBitsMin &&
    modulusLength <= bitsMax && publicExponent === rsaExponent;
}

function order(bytes: number, hex: string) {
  const n = BigInt(`0x${hex}`);
  const half = Buffer.from((n >> 1n).toString(16).padStart(bytes * 2, '0'), 'hex');
  return { bytes, n, half };
}
