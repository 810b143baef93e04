// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import { RecorderError } from './entry.ts';
import { hasMembers } from './entry-shape.ts';

/**
 * What the recorder says, signed, about its log at one moment. Kept away from the log, it proves
 * that entries at the end were removed or that the log was rewritten.
 */
export type Head = {
  readonly v: 1;
  /** Name of the log. */
  readonly log: string;
  /** Durable entries. */
  readonly size: number;
  /** Hash of the last line; of the log's name while the log is empty. */
  readonly hash: string;
  /** Milliseconds since 1970 on the recorder's clock. */
  readonly at: number;
  /** Key id of the recorder: the RFC 7638 thumbprint of its public key. */
  readonly key: string;
};

/** A head as it is kept: compact JWS (RFC 7515), `alg` EdDSA, `typ` `maso-recorder-head+jws`. */
export type SignedHead = string;

/** Signs heads with the recorder's own key, which no bus node or sidecar shares. */
export type RecorderSigner = {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  /** Ed25519 signature (RFC 8032) over the bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
};

export type RecorderKeys = ReadonlyMap<string, KeyObject>;

const headType = 'maso-recorder-head+jws';
const headLengthMax = 4096;
const headMembers = ['v', 'log', 'size', 'hash', 'at', 'key'];
const protectedMembers = ['alg', 'kid', 'typ'];
const jwsPattern = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;

/** Throws `RecorderError` with `RECORDER_OPTIONS_INVALID` for a key that is not Ed25519. */
export function ed25519Signer(privateKey: KeyObject): RecorderSigner {
  const publicKey = createPublicKey(privateKey);
  return {
    keyId: recorderKeyId(publicKey),
    publicKey,
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

/** RFC 7638 thumbprint (SHA-256, base64url) of an Ed25519 public key. */
export function recorderKeyId(publicKey: KeyObject): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) {
    throw new RecorderError('RECORDER_OPTIONS_INVALID', 'The recorder key is not an Ed25519 key.');
  }
  return hash('sha256', canonicalize({ crv, kty, x }), 'base64url');
}

export function signHead(
  tip: { readonly log: string; readonly size: number; readonly hash: string; readonly at: number },
  signer: RecorderSigner,
): SignedHead {
  const header = encode({ alg: 'EdDSA', kid: signer.keyId, typ: headType });
  const head = encode({ v: 1, key: signer.keyId, ...tip });
  const signature = signer.sign(Buffer.from(`${header}.${head}`));
  return `${header}.${head}.${Buffer.from(signature).toString('base64url')}`;
}

/**
 * The head, when it is well-formed and signed by one of the keys; null otherwise. The key is looked
 * up by the id in the signed header and the algorithm is fixed, so the signer of a forged head
 * chooses neither.
 */
export function openHead(signed: SignedHead, keys: RecorderKeys): Head | null {
  if (signed.length > headLengthMax || !jwsPattern.test(signed)) return null;
  const [header = '', payload = '', signature = ''] = signed.split('.');
  const parameters = decode(header);
  if (
    !isJsonObject(parameters) ||
    !hasMembers(parameters, protectedMembers) ||
    parameters['alg'] !== 'EdDSA' ||
    parameters['typ'] !== headType ||
    typeof parameters['kid'] !== 'string'
  ) {
    return null;
  }
  const key = keys.get(parameters['kid']);
  if (key === undefined) return null;
  const bytes = Buffer.from(`${header}.${payload}`);
  if (!verify(null, bytes, key, Buffer.from(signature, 'base64url'))) return null;
  const head = decode(payload);
  return isHead(head) && head.key === parameters['kid'] ? head : null;
}

/** The keys by their ids, for `openHead` and the verifier. */
export function keysOf(publicKeys: readonly KeyObject[]): RecorderKeys {
  return new Map(publicKeys.map((key) => [recorderKeyId(key), key]));
}

function isHead(value: unknown): value is Head {
  return (
    isJsonObject(value) &&
    hasMembers(value, headMembers) &&
    value['v'] === 1 &&
    typeof value['log'] === 'string' &&
    isCount(value['size']) &&
    typeof value['hash'] === 'string' &&
    isDigest(value['hash']) &&
    isCount(value['at']) &&
    typeof value['key'] === 'string'
  );
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function encode(value: JsonValue): string {
  return Buffer.from(canonicalize(value)).toString('base64url');
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    // Not JSON, so not a head; the caller refuses what is not an object.
    return null;
  }
}
