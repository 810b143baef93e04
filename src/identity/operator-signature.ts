// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { IdentityCode } from './codes.ts';
import { isSoundEd25519 } from './ed25519-key.ts';
import { IdentityError } from './identity-error.ts';
import { decodeBase64Url, signCompactJws, splitCompactJws, verifyCompactJws } from './jws.ts';

/** What an operator says about one held action. The digest binds it to that action and no other. */
export type OperatorStatement = {
  readonly approval: string;
  /** SHA-256 (base64url) of the hold. */
  readonly digest: string;
  readonly decision: 'approve' | 'deny';
  readonly operator: string;
  /** Milliseconds since 1970 on the operator's machine. */
  readonly at: number;
  /** At most 500 characters; empty when none was given. */
  readonly reason: string;
};

export type OperatorDecision =
  | { readonly ok: true; readonly statement: OperatorStatement }
  | { readonly ok: false; readonly code: IdentityCode };

/** A private Ed25519 JWK (RFC 8037); only the operator's own machine holds one. */
export type OperatorKey = { readonly privateKey: KeyObject; readonly publicJwk: JsonObject };

const headerPrefix = '{"alg":"EdDSA","kid":"';
const headerSuffix = '","typ":"maso-decision+jws"}';
const operatorForm = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;
const approvalForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const reasonLengthMax = 500;
const jwsLengthMax = 8_192;
const jsonLimits = { ...defaultJsonLimits, bytesMax: 4_096, depthMax: 2 };

/**
 * Signs a decision as compact JWS; `kid` is the operator's name in the mesh file. Throws
 * `IdentityError` IDENTITY_DECISION_MALFORMED when the statement is not one that verifies.
 */
export function signOperatorDecision(statement: OperatorStatement, key: OperatorKey): string {
  const { approval, digest, decision, operator, at, reason } = statement;
  const exact = { approval, digest, decision, operator, at, reason };
  if (readStatement(exact) === null) {
    throw new IdentityError('IDENTITY_DECISION_MALFORMED', 'The statement is out of bounds.');
  }
  const header = Buffer.from(headerPrefix + operator + headerSuffix, 'latin1');
  return signCompactJws(header.toString('base64url'), canonicalize(exact), key.privateKey);
}

/**
 * Believes a decision only when the operator whom it names signed exactly these bytes. As with
 * envelopes, the header is compared byte for byte and nothing is parsed before the signature holds.
 * `publicKeyOf` gives the operator's public JWK of the mesh file, or null. Whether the digest is
 * that of an open hold, and who may decide it, is the caller's to check. Never throws.
 */
export function verifyOperatorDecision(
  signed: string,
  publicKeyOf: (operator: string) => JsonObject | null,
): OperatorDecision {
  const parts = signed.length <= jwsLengthMax ? splitCompactJws(signed) : null;
  const operator = parts === null ? null : readHeader(parts.header);
  if (parts === null || operator === null) return refuse('IDENTITY_DECISION_MALFORMED');
  const jwk = publicKeyOf(operator);
  if (jwk === null) return refuse('IDENTITY_OPERATOR_UNKNOWN');
  const publicKey = readPublicJwk(jwk);
  if (publicKey === null) return refuse('IDENTITY_OPERATOR_KEY_INVALID');
  if (!verifyCompactJws(parts, publicKey)) return refuse('IDENTITY_DECISION_SIGNATURE_INVALID');
  const json = parseStrictJson(parts.payload, jsonLimits);
  const statement = json.ok && json.canonical ? readStatement(json.value) : null;
  if (statement === null || statement.operator !== operator) {
    return refuse('IDENTITY_DECISION_MALFORMED');
  }
  return { ok: true, statement };
}

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

function readHeader(header: string): string | null {
  if (!header.startsWith(headerPrefix) || !header.endsWith(headerSuffix)) return null;
  const operator = header.slice(headerPrefix.length, -headerSuffix.length);
  return operatorForm.test(operator) ? operator : null;
}

function readStatement(value: JsonValue): OperatorStatement | null {
  if (!isJsonObject(value)) return null;
  const { approval, digest, decision, operator, at, reason, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return null;
  if (typeof approval !== 'string' || !approvalForm.test(approval)) return null;
  if (typeof digest !== 'string' || !isDigest(digest)) return null;
  if (decision !== 'approve' && decision !== 'deny') return null;
  if (typeof operator !== 'string' || !operatorForm.test(operator)) return null;
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) return null;
  if (typeof reason !== 'string' || reason.length > reasonLengthMax) return null;
  if (!reason.isWellFormed()) return null;
  return { approval, digest, decision, operator, at, reason };
}

function keyInvalid(): IdentityError {
  return new IdentityError('IDENTITY_OPERATOR_KEY_INVALID', 'The JWK is not an Ed25519 key pair.');
}

function refuse(code: IdentityCode): { readonly ok: false; readonly code: IdentityCode } {
  return { ok: false, code };
}
