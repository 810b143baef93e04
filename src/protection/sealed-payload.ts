// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import type { Random } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { SealedKey } from './key-agreement.ts';
import { padded, paddedLength, unpadded } from './padding.ts';
import { nonceBytes, openBytes, sealBytes, type SealedBytes } from './sealed-bytes.ts';

export const keyIdBytes = 16;

const format = 'retrieval/3';
const rolesMax = 16;
const base64Form = /^[A-Za-z0-9_-]+$/;
const keyIdLength = 22;
const publicKeyLength = 43;
const wrappedLengthMax = 128;

/** A payload as it travels and lies in queues in a domain of tier RETRIEVAL. */
export type SealedPayload = {
  /** Id of the data key, 16 random bytes in base64url. */
  readonly key: string;
  /** Roles that the domain allowed when it was sealed, in their order. */
  readonly roles: readonly string[];
  /** The data key for the bus, a named recipient, and the public key that it was sealed to. */
  readonly bus: SealedKey & { readonly publicKey: string };
  readonly nonce: string;
};

/** What is sealed of a message: what stands in its body, and the item that travels beside it. */
export type SealedMessage = {
  readonly sealed: SealedPayload;
  /** Ciphertext and tag, base64url. */
  readonly item: string;
};

/** The form in the body; see `readSealed` for the way back. */
export function sealedJson(sealed: SealedPayload): JsonValue {
  const { key, roles, bus, nonce } = sealed;
  const { enc, publicKey, wrapped } = bus;
  // In canonical order, which spares sorting for the signature.
  return { bus: { enc, publicKey, wrapped }, key, nonce, roles: [...roles], sealed: format };
}

/** Null unless it is exactly a sealed payload and its item; everything in it is chosen by the sender. */
export function readSealed(value: JsonValue, item: string | null): SealedMessage | null {
  if (!isJsonObject(value) || item === null) return null;
  const { sealed, key, roles, bus, nonce, ...unknown } = value;
  if (sealed !== format || Object.keys(unknown).length > 0 || !isJsonObject(bus ?? null)) return null;
  const { enc, wrapped, publicKey, ...more } = bus as { readonly [member: string]: JsonValue };
  if (Object.keys(more).length > 0 || !Array.isArray(roles) || roles.length > rolesMax) return null;
  const texts = roles.every((role): role is string => typeof role === 'string');
  const isWhole =
    texts &&
    isBase64(key, keyIdLength) &&
    isBase64(enc, publicKeyLength) &&
    isBase64(publicKey, publicKeyLength) &&
    isBase64(wrapped, null) && wrapped.length <= wrappedLengthMax &&
    isBase64(nonce, nonceBytes * 4 / 3);
  return isWhole ? { sealed: { key, roles, bus: { enc, wrapped, publicKey }, nonce }, item } : null;
}

function isBase64(value: JsonValue | undefined, length: number | null): value is string {
  const isText = typeof value === 'string' && base64Form.test(value);
  return isText && (length === null || value.length === length);
}

/**
 * What a data key is bound to: domain, classification, roles, mandate, and the two ends. It is
 * authenticated data wherever the key is wrapped, so that a key serves no other exchange.
 */
export function bindingOf(body: EnvelopeBody, roles: readonly string[]): string {
  return canonicalize({
    classification: body.label.classification,
    domain: body.domain,
    from: body.from,
    instance: body.instance,
    mandate: body.mandate === null
      ? null
      : createHash('sha256').update(body.mandate).digest('base64url'),
    roles: [...roles],
    to: body.to,
  });
}

/** The context under which a data key is wrapped, for the bus and for the `Kms` alike. */
export function keyContext(key: string, binding: string): string {
  return `data-key/1 ${key} ${binding}`;
}

/** An item is of one message: its ciphertext under another id, task or schema opens nowhere. */
function itemContext(body: EnvelopeBody, key: string, binding: string): string {
  const { id, task, schema, type } = body;
  return `item/1 ${key} ${id} ${task} ${schema} ${type} ${binding}`;
}

/** Seals the canonical form of the payload, filled up so that its length says little. */
export function sealItem(
  body: EnvelopeBody,
  key: { readonly id: string; readonly bytes: Uint8Array; readonly binding: string },
  random: Random,
): SealedBytes {
  const context = itemContext(body, key.id, key.binding);
  return sealBytes(padded(canonicalize(body.payload)), key.bytes, context, random);
}

/** The payload; undefined unless the item is untouched and holds one value, canonical and filled up. */
export function openItem(
  body: EnvelopeBody,
  { sealed, item }: SealedMessage,
  key: { readonly bytes: Uint8Array; readonly binding: string },
  limits: { readonly bytesMax: number; readonly depthMax: number },
): JsonValue | undefined {
  const context = itemContext(body, sealed.key, key.binding);
  const bytes = { nonce: sealed.nonce, ciphertext: item };
  const whole = openBytes(bytes, key.bytes, context, paddedLength(limits.bytesMax));
  const plain = whole === null ? null : unpadded(whole);
  const parsed = plain === null ? null : parseStrictJson(plain, { ...defaultJsonLimits, ...limits });
  return parsed?.ok === true && parsed.canonical ? parsed.value : undefined;
}
