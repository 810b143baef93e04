// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';

/** Bytes as text; what is no UTF-8 is replaced, as every reader does. */
export function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Null when the bytes are not what a person would call text. */
export function textOf(bytes: Uint8Array): string | null {
  if (!isPlausible(bytes, bytes.length)) return null;
  const text = decodeUtf8(bytes);
  // Part of a hostile blob may be cut or damaged; a text of replacements is none.
  let replaced = 0;
  for (let position = 0; position < text.length; position += 1) {
    if (text.charCodeAt(position) === 0xfffd) replaced += 1;
  }
  return replaced * 8 <= text.length ? text : null;
}

/** Few control characters among the first `count` bytes: chance bytes hold one in eight. */
export function isPlausible(bytes: Uint8Array, count: number): boolean {
  const length = Math.min(count, bytes.length);
  let odd = 0;
  for (let index = 0; index < length; index += 1) {
    if (isOdd(bytes, index, length)) odd += 1;
  }
  return odd <= oddBytesMax(length);
}

export function oddBytesMax(length: number): number {
  return length >> 4;
}

/** A control character, or a byte that neither begins nor continues a sequence of UTF-8; of `length` bytes. */
export function isOdd(bytes: Uint8Array, index: number, length: number): boolean {
  const byte = bytes[index] ?? 0;
  if (byte < 0x20) return byte !== 0x0a && byte !== 0x0d && byte !== 0x09 && byte !== 0x1b;
  if (byte < 0x80) return byte === 0x7f;
  if (byte < 0xc0) return index === 0 || (bytes[index - 1] ?? 0) < 0x80;
  if (byte >= 0xf8) return true;
  const after = index + 1 < length ? (bytes[index + 1] ?? 0) : 0x80;
  return after < 0x80 || after >= 0xc0;
}
