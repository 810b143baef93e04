// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { Credential, PeerIdentity } from './credential.ts';
import { signCompactJws, signingAlgorithm, splitCompactJws, verifyCompactJws } from './jws.ts';
import { signatureAlgorithms } from './key-algorithm.ts';
import type { LeaseClamp, LeaseGrant } from './lease.ts';

/** One form for each algorithm; nothing in a header is parsed. */
const headerForm =
  /^\{"alg":"([A-Z][A-Za-z0-9]{4})","typ":"maso-lease\+jws","x5t#S256":"([A-Za-z0-9_-]{43})"\}$/;
const jsonLimits = { ...defaultJsonLimits, bytesMax: 4_096, depthMax: 3 };
const lengthMax = 8_192;

const headerParts = new WeakMap<Credential, string>();

/** Signs a lease as compact JWS under the identity of the node. */
export function signLease(grant: LeaseGrant, credential: Credential): string {
  let header = headerParts.get(credential);
  if (header === undefined) {
    const algorithm = signingAlgorithm(credential.privateKey);
    const text = `{"alg":"${algorithm}","typ":"maso-lease+jws","x5t#S256":"${credential.thumbprint}"}`;
    header = Buffer.from(text, 'latin1').toString('base64url');
    headerParts.set(credential, header);
  }
  return signCompactJws(header, canonicalize(grant), credential.privateKey);
}

/**
 * The lease that a node signed; null unless a verified node, no agent, signed exactly these bytes and
 * they are a whole lease in canonical form. `peerByThumbprint` answers only for certificates that it
 * has verified and that are valid now.
 */
export function verifyLease(
  signed: string,
  peerByThumbprint: (thumbprint: string) => PeerIdentity | null,
): LeaseGrant | null {
  const parts = signed.length <= lengthMax ? splitCompactJws(signed) : null;
  if (parts === null) return null;
  const [, named = '', thumbprint = ''] = headerForm.exec(parts.header) ?? [];
  const algorithm = signatureAlgorithms.find((one) => one === named);
  const peer = isDigest(thumbprint) ? peerByThumbprint(thumbprint) : null;
  if (algorithm === undefined || peer?.kind !== 'node' || peer.thumbprint !== thumbprint) return null;
  if (!verifyCompactJws(parts, algorithm, peer.publicKey)) return null;
  const json = parseStrictJson(parts.payload, jsonLimits);
  return json.ok && json.canonical ? readGrant(json.value) : null;
}

function readGrant(value: JsonValue): LeaseGrant | null {
  if (!isJsonObject(value)) return null;
  const {
    boot, holder, nonce, meshDigest, policyVersion, revocationVersion, paceVersion, durationMs,
    privileged, consent, clamp: given, ...unknown
  } = value;
  const clamp = readClamp(given);
  const texts = typeof boot === 'string' && typeof holder === 'string' && typeof meshDigest === 'string';
  if (!texts || clamp === null || Object.keys(unknown).length > 0) return null;
  if (nonce !== null && typeof nonce !== 'string') return null;
  if (!isCount(policyVersion) || !isCount(revocationVersion) || !isCount(paceVersion)) return null;
  if (!isCount(durationMs) || typeof privileged !== 'boolean') return null;
  if (consent !== null && typeof consent !== 'string') return null;
  return {
    boot, holder, nonce, meshDigest, policyVersion, revocationVersion, paceVersion, durationMs,
    privileged, consent, clamp,
  };
}

const phases = ['PRIMARY', 'ALTERNATE', 'CONTINGENCY', 'EMERGENCY'] as const;
const allowances = ['all', 'supervised', 'read-only', 'nothing'] as const;

function readClamp(value: JsonValue | undefined): LeaseClamp | null {
  if (!isJsonObject(value)) return null;
  const phase = phases.find((one) => one === value['phase']);
  const allows = allowances.find((one) => one === value['allows']);
  const { draining } = value;
  if (phase === undefined || allows === undefined || typeof draining !== 'boolean') return null;
  return Object.keys(value).length === 3 ? { phase, allows, draining } : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
