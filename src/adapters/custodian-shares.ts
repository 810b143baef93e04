// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { combine, split } from 'shamir-secret-sharing';
import { isJsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { shareBinding } from '../recorder/payload-epoch.ts';
import type { SealedShare } from '../recorder/payload-epoch.ts';
import type { SplitKey } from '../recorder/payload-keeper.ts';
import { keyCommitment } from '../recorder/payload-seal.ts';
import { RecorderError } from '../recorder/entry.ts';
import { createOwnerOnly, readOwnerOnly } from './credential-file.ts';
import { loadHpkeSuite } from './hpke-suite.ts';

/** A custodian's X25519 key pair, raw, base64url. */
export type CustodianKey = { readonly publicKey: string; readonly privateKey: string };

/** Shamir shares of an epoch's key, each sealed to its custodian and bound to epoch and name. */
export const splitToCustodians: SplitKey = async (key, { custodians, threshold }, { log, number }) => {
  // The library takes no subclass such as Buffer.
  const plain = new Uint8Array(key);
  const shares = await split(plain, custodians.length, threshold);
  plain.fill(0);
  return Promise.all(custodians.map(async (custodian, at) => {
    const share = shares[at] ?? new Uint8Array(0);
    const binding = shareBinding({ log, epoch: number, threshold }, custodian.name);
    const sealed = await sealTo(share, custodian.key, binding);
    const commitment = keyCommitment(share);
    share.fill(0);
    return { ...custodian, ...sealed, commitment };
  }));
};

/** Any `threshold` of an epoch's shares; fewer give something else, which the commitment shows. */
export async function combineShares(shares: readonly Uint8Array[]): Promise<Uint8Array> {
  return combine([...shares]);
}

export async function sealTo(
  bytes: Uint8Array,
  publicKey: string,
  binding: string,
): Promise<SealedShare> {
  const suite = await loadHpkeSuite();
  const recipientPublicKey = await suite.kem.deserializePublicKey(raw(publicKey));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: encode(binding) });
  const sealed = await sender.seal(bytesOf(bytes));
  return { enc: text(sender.enc), sealed: text(sealed) };
}

/** Null when it was sealed to another key or for another purpose. */
export async function openFrom(
  { enc, sealed }: SealedShare,
  privateKey: string,
  binding: string,
): Promise<Uint8Array | null> {
  const suite = await loadHpkeSuite();
  try {
    const recipientKey = await suite.kem.deserializePrivateKey(raw(privateKey));
    const options = { recipientKey, enc: raw(enc), info: encode(binding) };
    const recipient = await suite.createRecipientContext(options);
    return new Uint8Array(await recipient.open(raw(sealed)));
  } catch {
    // Whatever does not open says nothing of its sender; the caller refuses it.
    return null;
  }
}

export function generateCustodianKey(): CustodianKey {
  const { x = '', d = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: x, privateKey: d };
}

/** Makes the key as a private JWK (RFC 8037) of mode 0600; an existing file is never replaced. */
export async function createCustodianKey(path: string): Promise<CustodianKey> {
  const { publicKey: x, privateKey: d } = generateCustodianKey();
  const jwk = { kty: 'OKP', crv: 'X25519', x, d };
  await createOwnerOnly(path, Buffer.from(`${JSON.stringify(jwk)}\n`));
  return loadCustodianKey(path);
}

/** Throws `RecorderError` RECORDER_CUSTODIAN_KEY_INVALID unless only its owner reads a key there. */
export async function loadCustodianKey(path: string): Promise<CustodianKey> {
  const file = await readOwnerOnly(path);
  const json = file.state === 'read' ? parseStrictJson(file.bytes) : null;
  const { kty, crv, x, d } = json?.ok === true && isJsonObject(json.value) ? json.value : {};
  if (kty !== 'OKP' || crv !== 'X25519' || typeof x !== 'string' || typeof d !== 'string') {
    throw keyInvalid();
  }
  try {
    const key = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
    if (createPublicKey(key).export({ format: 'jwk' }).x !== x) throw keyInvalid();
  } catch (cause) {
    throw keyInvalid(cause);
  }
  return { publicKey: x, privateKey: d };
}

function keyInvalid(cause?: unknown): RecorderError {
  const options = cause === undefined ? undefined : { cause };
  return new RecorderError('RECORDER_CUSTODIAN_KEY_INVALID', 'That is no custodian key.', options);
}

function raw(base64url: string): ArrayBuffer {
  return bytesOf(Buffer.from(base64url, 'base64url'));
}

function bytesOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function encode(binding: string): ArrayBuffer {
  return bytesOf(Buffer.from(binding));
}

function text(buffer: ArrayBuffer): string {
  return Buffer.from(buffer).toString('base64url');
}
