// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * GitHub and npm tokens end in six base62 digits, the CRC-32 of the random part: what fails it is
 * not a token that was ever issued (GitHub, "Behind GitHub's new authentication token formats").
 */
export function hasTokenChecksum(token: string): boolean {
  const random = token.slice(token.indexOf('_') + 1, -6);
  return toBase62(crc32(random)).padStart(6, '0') === token.slice(-6);
}

function toBase62(value: number): string {
  let rest = value;
  let digits = '';
  while (rest > 0) {
    digits = base62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
