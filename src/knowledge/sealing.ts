// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import type { Random } from '../message/clock.ts';
import type { JsonValue } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import { padded, paddedLength, unpadded } from '../protection/padding.ts';
import { openBytes, sealBytes } from '../protection/sealed-bytes.ts';
import { itemDigest } from './blind.ts';
import { bindingOfItem, contextOfItem, type ItemFacts, type StoredItem } from './item.ts';
import { neverMs, type ShelfKeys } from './shelf-keys.ts';

/** Bytes of the canonical form of one item at most. */
export const itemBytesMax = 64 * 1024;
const depthMax = 16;
const tagBytes = 16;

/** Everything about an item but what sealing it makes. */
export type PlainItem = {
  readonly facts: Omit<ItemFacts, 'digest'>;
  readonly value: JsonValue;
  readonly terms: readonly string[];
  readonly vector: Float32Array | null;
};

/** Seals one item under the key of its binding. Rejects with `KnowledgeError`. */
export async function sealItem(
  { facts, value, terms, vector }: PlainItem,
  indexKey: Uint8Array,
  keys: ShelfKeys,
  random: Random,
): Promise<StoredItem> {
  const keptMs = facts.expiresAt >= neverMs ? neverMs : facts.expiresAt - facts.writtenAt;
  const key = await keys.sealing(bindingOfItem(facts), keptMs);
  const whole = { ...facts, digest: itemDigest(value, indexKey), key: key.id };
  const plain = padded(canonicalize(value));
  return { ...whole, ...sealBytes(plain, key.bytes, contextOfItem(whole), random), terms, vector };
}

/**
 * The value of an item; undefined unless nothing about it was changed: neither the ciphertext, nor a
 * fact beside it, nor the digest from when it was kept (DP-3.1). Rejects where a key cannot be had.
 */
export async function openItem(
  item: StoredItem,
  indexKey: Uint8Array,
  keys: ShelfKeys,
): Promise<JsonValue | undefined> {
  const key = await keys.opening(item.key, bindingOfItem(item));
  if (key === null) return undefined;
  const bytesMax = paddedLength(itemBytesMax) + tagBytes;
  const whole = openBytes(item, key, contextOfItem(item), bytesMax);
  const plain = whole === null ? null : unpadded(whole);
  const limits = { ...defaultJsonLimits, bytesMax: itemBytesMax, depthMax };
  const parsed = plain === null ? null : parseStrictJson(plain, limits);
  if (parsed?.ok !== true || !parsed.canonical) return undefined;
  return itemDigest(parsed.value, indexKey) === item.digest ? parsed.value : undefined;
}
