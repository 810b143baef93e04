// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Random } from '../message/clock.ts';

/** AES-256-GCM throughout. */
export const payloadKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Where a sealed payload stands; another place does not open it. */
export type PayloadPlace = {
  readonly log: string;
  readonly epoch: number;
  readonly task: string;
  readonly message: string;
  readonly part: number;
  readonly parts: number;
};

/** Which task of which epoch a wrapped key belongs to; it opens nowhere else. */
export type KeyPlace = Pick<PayloadPlace, 'log' | 'epoch' | 'task'>;

/** Base64url of nonce, ciphertext and tag. */
export function sealPayload(
  bytes: Uint8Array,
  place: PayloadPlace,
  key: Uint8Array,
  random: Random,
): string {
  return seal(bytes, payloadBinding(place), key, random);
}

/** Null when it was sealed for another place or under another key, or was changed. */
export function openPayload(
  sealed: string,
  place: PayloadPlace,
  key: Uint8Array,
): Uint8Array | null {
  return unseal(sealed, payloadBinding(place), key);
}

/** The key of one task, under the key of the epoch. */
export function wrapKey(
  key: Uint8Array,
  place: KeyPlace,
  epochKey: Uint8Array,
  random: Random,
): string {
  return seal(key, keyBinding(place), epochKey, random);
}

/** Null as `openPayload`. */
export function unwrapKey(wrapped: string, place: KeyPlace, epochKey: Uint8Array): Uint8Array | null {
  const key = unseal(wrapped, keyBinding(place), epochKey);
  return key?.length === payloadKeyBytes ? key : null;
}

/** Says whether a key that was put together is the one; a hash of 256 random bits tells nothing. */
export function keyCommitment(key: Uint8Array): string {
  return createHash('sha256').update('maso-key-commitment/1\n').update(key).digest('base64url');
}

function payloadBinding({ log, epoch, task, message, part, parts }: PayloadPlace): Buffer {
  return Buffer.from(`maso-payload/1\n${log}\n${epoch}\n${task}\n${message}\n${part}/${parts}`);
}

function keyBinding({ log, epoch, task }: KeyPlace): Buffer {
  return Buffer.from(`maso-payload-key/1\n${log}\n${epoch}\n${task}`);
}

function seal(bytes: Uint8Array, binding: Buffer, key: Uint8Array, random: Random): string {
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(binding);
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
    .toString('base64url');
}

function unseal(sealed: string, binding: Buffer, key: Uint8Array): Uint8Array | null {
  const whole = Buffer.from(sealed, 'base64url');
  if (whole.length < nonceBytes + tagBytes || key.length !== payloadKeyBytes) return null;
  const end = whole.length - tagBytes;
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv('aes-256-gcm', key, whole.subarray(0, nonceBytes), options)
    .setAAD(binding)
    .setAuthTag(whole.subarray(end));
  const bytes = decipher.update(whole.subarray(nonceBytes, end));
  try {
    return Buffer.concat([bytes, decipher.final()]);
  } catch {
    // The tag does not fit: nothing of it is believed.
    return null;
  }
}
