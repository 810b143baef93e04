// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';

/** Everything shorter looks alike: an identifier, a yes, a name. */
const lengthMin = 256;

/**
 * The length, in bytes, that a sealed item of `length` bytes is filled up to: whoever sees only
 * ciphertext learns the order of its size and little more (DP-2.x; Padme of Nikitin et al., 2019: at
 * most 12 % longer, and only as many lengths as leave `log log` bits to learn from).
 */
export function paddedLength(length: number): number {
  if (length <= lengthMin) return lengthMin;
  const exponent = Math.floor(Math.log2(length));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - kept);
  return Math.ceil(length / step) * step;
}

/** The bytes of a canonical JSON text, filled up with spaces, which none ends with. */
export function padded(text: string): Uint8Array {
  const whole = Buffer.alloc(paddedLength(Buffer.byteLength(text, 'utf8')), space);
  whole.write(text, 'utf8');
  return whole;
}

/** The text without what `padded` added; null where that is not exactly what was added. */
export function unpadded(whole: Uint8Array): Uint8Array | null {
  let length = whole.length;
  while (length > 0 && whole[length - 1] === space) length -= 1;
  return paddedLength(length) === whole.length ? whole.subarray(0, length) : null;
}

const space = 0x20;
