// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Credential, PeerIdentity } from '../identity/credential.ts';
import { signingAlgorithm, signCompactJws, splitCompactJws, verifyCompactJws } from '../identity/jws.ts';
import { algorithmOf } from '../identity/key-algorithm.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { SealedKey } from './key-agreement.ts';

/** A release is asked for with a statement of this form, which the asking NHI signs. */
export type ReleaseRequest = {
  /** Id of the data key. */
  readonly key: string;
  /** SPIFFE id of the instance that asks. */
  readonly instance: string;
  /** Public key to release to: the signature is the NHI's word that it holds the private half. */
  readonly publicKey: string;
  /** 128 random bits; the answer is bound to it. */
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** What a node answers; `durationMs` counts from when it was asked for. */
export type Release = {
  readonly nonce: string;
  readonly durationMs: number;
  readonly sealed: SealedKey;
};

const typ = 'maso-release+jws';
const lengthMax = 4_096;
const textMax = 2_048;
const jsonLimits = { ...defaultJsonLimits, bytesMax: lengthMax, depthMax: 2 };

/** Throws `IdentityError` when the credential's key is none that the mesh signs with. */
export function signReleaseRequest(request: ReleaseRequest, credential: Credential): string {
  const header = headerOf(signingAlgorithm(credential.privateKey));
  return signCompactJws(header, canonicalize({ ...request }), credential.privateKey);
}

/** The request, or null unless this very identity signed it. Never throws. */
export function verifyReleaseRequest(signed: string, peer: PeerIdentity): ReleaseRequest | null {
  const algorithm = algorithmOf(peer.publicKey);
  const parts = signed.length <= lengthMax ? splitCompactJws(signed) : null;
  if (parts === null || algorithm === null) return null;
  // Compared byte for byte: nothing in a header that somebody chose is read.
  if (!signed.startsWith(`${headerOf(algorithm)}.`)) return null;
  if (!verifyCompactJws(parts, algorithm, peer.publicKey)) return null;
  const parsed = parseStrictJson(parts.payload, jsonLimits);
  if (!parsed.ok || !isJsonObject(parsed.value)) return null;
  const { key, instance, publicKey, nonce, at, ...unknown } = parsed.value;
  if (Object.keys(unknown).length > 0 || typeof at !== 'number') return null;
  if (!isText(key) || !isText(instance) || !isText(publicKey) || !isText(nonce)) return null;
  return instance === peer.spiffeId ? { key, instance, publicKey, nonce, at } : null;
}

/** What a released key is sealed under: this request of this instance, for so long. */
export function releaseContext(
  { key, instance, nonce }: ReleaseRequest,
  durationMs: number,
  binding: string,
): string {
  return canonicalize({ release: 'release/1', binding, durationMs, instance, key, nonce });
}

function headerOf(algorithm: string): string {
  return Buffer.from(`{"alg":"${algorithm}","typ":"${typ}"}`, 'latin1').toString('base64url');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= textMax;
}
