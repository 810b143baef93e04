// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { isSoundEd25519 } from './ed25519-key.ts';
import { IdentityError } from './identity-error.ts';
import { decodeBase64Url } from './jws.ts';

/** A private Ed25519 JWK (RFC 8037); only the operator's own machine holds one. */
export type OperatorKey = { readonly privateKey: KeyObject; readonly publicJwk: JsonObject };

/**
 * The public key of an operator's JWK; null unless it has `kty` OKP, `crv` Ed25519 and `x`, and
 * besides them at most `kid`, `use` and `alg`. A private key in a mesh file is refused, not used.
 */
export function readPublicJwk(jwk: JsonObject): KeyObject | null {
  const { kty, crv, x, kid: _kid, use: _use, alg: _alg, ...unknown } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519' || Object.keys(unknown).length > 0) return null;
  if (typeof x !== 'string' || decodeBase64Url(x)?.length !== 32) return null;
  try {
    const key = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
    return isSoundEd25519(key) ? key : null;
  } catch {
    // Not a point of the curve.
    return null;
  }
}

/** Reads a private JWK. Throws IDENTITY_OPERATOR_KEY_INVALID unless `x` belongs to `d`. */
export function readOperatorKey(jwk: JsonValue): OperatorKey {
  const { kty, crv, x, d } = isJsonObject(jwk) ? jwk : {};
  const publicJwk = typeof x === 'string' ? { kty: 'OKP', crv: 'Ed25519', x } : {};
  const sound = kty === 'OKP' && crv === 'Ed25519' && readPublicJwk(publicJwk) !== null;
  if (!sound || typeof d !== 'string' || decodeBase64Url(d)?.length !== 32) throw keyInvalid();
  const privateKey = createPrivateKey({ key: { ...publicJwk, d }, format: 'jwk' });
  // The key is derived from `d` alone; a foreign `x` would sign what its owner is blamed for.
  if (createPublicKey(privateKey).export({ format: 'jwk' }).x !== x) throw keyInvalid();
  return { privateKey, publicJwk };
}

function keyInvalid(): IdentityError {
  return new IdentityError('IDENTITY_OPERATOR_KEY_INVALID', 'The JWK is not an Ed25519 key pair.');
}
