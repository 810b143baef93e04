// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import { isSoundEd25519 } from './ed25519-key.ts';

/** What an authenticator gives back for one challenge (WebAuthn Level 3, section 5.2.2). */
export type Assertion = {
  readonly authenticatorData: Buffer;
  readonly clientData: Buffer;
  readonly signature: Buffer;
};

/** Where an assertion is believed from, and under which key. */
export type PasskeyHolder = {
  /** Relying party id: the host name of the console. */
  readonly site: string;
  /** Public JWK: EC P-256, or OKP Ed25519. */
  readonly publicKey: JsonObject;
};

const userPresent = 0x01;
const userVerified = 0x04;
const clientDataLimits = { ...defaultJsonLimits, bytesMax: 2_048, depthMax: 2 };

/**
 * The challenge that a passkey signs for a statement: SHA-256 over the statement's type and its
 * canonical bytes, so that a gesture for one kind of statement says nothing in another.
 */
export function passkeyChallenge(typ: string, statement: Uint8Array): string {
  return createHash('sha256').update(`maso:${typ}:`).update(statement).digest('base64url');
}

/**
 * Whether the holder of the key, present and verified by the authenticator, signed exactly this
 * challenge on this site. Each statement is one gesture, so the signature counter decides nothing
 * here. Never throws.
 */
export function isAssertionOver(
  challenge: string,
  assertion: Assertion,
  holder: PasskeyHolder,
): boolean {
  const { authenticatorData, clientData, signature } = assertion;
  const publicKey = readPasskeyJwk(holder.publicKey);
  if (publicKey === null || authenticatorData.length < 37) return false;
  const site = createHash('sha256').update(holder.site).digest();
  if (!authenticatorData.subarray(0, 32).equals(site)) return false;
  const flags = authenticatorData[32] ?? 0;
  if ((flags & userPresent) === 0 || (flags & userVerified) === 0) return false;
  if (!isClientData(clientData, challenge, holder.site)) return false;
  const signed = Buffer.concat([
    authenticatorData, createHash('sha256').update(clientData).digest(),
  ]);
  const digest = publicKey.asymmetricKeyType === 'ec' ? 'sha256' : null;
  try {
    return verify(digest, signed, publicKey, signature);
  } catch {
    // A signature that cannot even be read is none.
    return false;
  }
}

/** The key of a passkey; null unless it is P-256 or a sound Ed25519 key, with nothing else. */
export function readPasskeyJwk(jwk: JsonObject): KeyObject | null {
  const { kty, crv, x, y, ...unknown } = jwk;
  if (Object.keys(unknown).length > 0 || typeof x !== 'string') return null;
  try {
    if (kty === 'EC' && crv === 'P-256' && typeof y === 'string') {
      return createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
    }
    if (kty !== 'OKP' || crv !== 'Ed25519' || y !== undefined) return null;
    const key = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
    return isSoundEd25519(key) ? key : null;
  } catch {
    // Not a point of the curve.
    return null;
  }
}

/** The browser's own word on where and for what it asked (section 5.8.1). */
function isClientData(bytes: Buffer, challenge: string, site: string): boolean {
  const json = parseStrictJson(bytes, clientDataLimits);
  if (!json.ok || !isJsonObject(json.value)) return false;
  const { type, origin, challenge: signed, crossOrigin } = json.value;
  if (type !== 'webauthn.get' || signed !== challenge || crossOrigin === true) return false;
  return typeof origin === 'string' && isOriginOf(origin, site);
}

/** Any port of the site; without TLS only on the machine itself. */
function isOriginOf(origin: string, site: string): boolean {
  const [scheme, rest = ''] = origin.split('://');
  const host = rest.replace(/:[0-9]{1,5}$/, '');
  return host === site && (scheme === 'https' || (scheme === 'http' && site === 'localhost'));
}
