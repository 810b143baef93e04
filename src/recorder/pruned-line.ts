// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { hashBytes, leafHash } from './merkle.ts';

const prefix = Buffer.from('{"pruned":"');
const suffix = Buffer.from('"}');
const hashLength = Math.ceil(hashBytes / 3) * 4;
const lineLength = prefix.length + hashLength + suffix.length;

/**
 * What stands in the place of an entry whose time of retention is over: its hash in the tree, and
 * nothing else. An entry begins with another member, so neither is ever taken for the other.
 */
export function prunedLine(line: Uint8Array): string {
  return `${prefix.toString()}${Buffer.from(leafOfLine(line)).toString('base64')}${suffix.toString()}`;
}

/** The hash that a pruned entry left; null for any other line. */
export function prunedHash(line: Uint8Array): Uint8Array | null {
  if (line.length !== lineLength || line[2] !== prefix[2]) return null;
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  if (!bytes.subarray(0, prefix.length).equals(prefix)) return null;
  if (!bytes.subarray(lineLength - suffix.length).equals(suffix)) return null;
  const text = bytes.toString('latin1', prefix.length, prefix.length + hashLength);
  const hash = Buffer.from(text, 'base64');
  return hash.length === hashBytes && hash.toString('base64') === text ? hash : null;
}

/** The hash in the tree of a line as it lies in the log, pruned or not. */
export function leafOfLine(line: Uint8Array): Uint8Array {
  return prunedHash(line) ?? leafHash(line);
}
