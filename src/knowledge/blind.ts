// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';

/** Length of a blind vector; a power of two. */
export const vectorLength = 256;

const placesPerWord = 4;
const termBytes = 16;
const wordsMax = 4_096;
const wordForm = /[\p{L}\p{N}]{2,64}/gu;

/**
 * What stands in the index in the place of a member and its value: 128 bits of HMAC-SHA256 under the key
 * of the shelf. Equal values look equal within one shelf and nowhere else; nobody without the key can
 * try values out.
 */
export function blindTerm(field: string, value: JsonValue, key: Uint8Array): string {
  const text = `term/1 ${canonicalize([field, value])}`;
  return createHmac('sha256', key).update(text).digest().subarray(0, termBytes).toString('base64url');
}

/** A value that can be indexed: anything else is found by no search. */
export function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Terms of the declared members that an entry has, in the order of their declaration. */
export function blindTerms(
  value: JsonValue,
  index: readonly string[],
  key: Uint8Array,
): readonly string[] {
  if (!isJsonObject(value)) return [];
  return index.flatMap((field) => {
    const held = Object.hasOwn(value, field) ? value[field] : undefined;
    return isScalar(held) ? [blindTerm(field, held, key)] : [];
  });
}

/** HMAC of the canonical value: what an item is compared with each time that it is opened. */
export function itemDigest(value: JsonValue, key: Uint8Array): string {
  return createHmac('sha256', key).update(`item/1 ${canonicalize(value)}`).digest('base64url');
}

/**
 * Words of a text as a vector of length one, each word at four places and with signs that an HMAC under
 * the key of the shelf chooses: near texts have near vectors, and who has only vectors learns which
 * texts are alike, not what they say. At one place alone, another word of the text at the same one and with
 * the other sign would hide it. A text without words is the zero vector.
 */
export function blindVector(text: string, key: Uint8Array): Float32Array {
  const counts = new Map<string, number>();
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(wordForm)) {
    if (counts.size >= wordsMax && !counts.has(word)) break;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const vector = new Float32Array(vectorLength);
  for (const [word, count] of counts) {
    const digest = createHmac('sha256', key).update(`word/1 ${word}`).digest();
    for (let at = 0; at < placesPerWord * 3; at += 3) {
      const place = digest.readUInt16BE(at) % vectorLength;
      const sign = (digest[at + 2] ?? 0) & 1 ? 1 : -1;
      vector[place] = (vector[place] ?? 0) + sign * (1 + Math.log(count));
    }
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((member) => member / length);
}
