// SPDX-License-Identifier: Apache-2.0

/**
 * The same text in memory of its own. A piece that is cut from a text keeps the whole text alive for as
 * long as the piece is kept: whoever keeps pieces of what strangers wrote keeps all that they wrote.
 */
export function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
