// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { isDigest } from '../message/identifiers.ts';
import { signatureAlgorithms, type SignatureAlgorithm } from './key-algorithm.ts';

const prefix = '{"alg":"';
const itemMember = '","item":"';
const middle = '","typ":"maso-envelope+jws","x5t#S256":"';
const suffix = '"}';
const digestLength = 43;
/** All names of algorithms are of one length. */
const algorithmEnd = prefix.length + 5;
const itemAt = algorithmEnd + itemMember.length;
const itemLength = itemMember.length + digestLength;
const headerLength = algorithmEnd + middle.length + digestLength + suffix.length;

/** What the header of an envelope says; nothing of it has been believed yet. */
export type EnvelopeHeader = {
  readonly algorithm: SignatureAlgorithm;
  readonly thumbprint: string;
  /** SHA-256 (base64url) of the item that follows the signature; null where none does. */
  readonly item: string | null;
};

/**
 * The one protected header of an envelope (RFC 7515), in RFC 8785 form; it names the signer, and the
 * item where there is one. The algorithm is that of the signer's key.
 */
export function envelopeHeader(
  thumbprint: string,
  algorithm: SignatureAlgorithm = 'EdDSA',
  item: string | null = null,
): string {
  const named = item === null ? '' : itemMember + item;
  return prefix + algorithm + named + middle + thumbprint + suffix;
}

/**
 * What a received header names, or null unless the header is byte for byte an accepted form, two for
 * each algorithm. Nothing is parsed, so no `crit`, `jwk`, `jku` or duplicate member can mean anything.
 */
export function readEnvelopeHeader(header: string): EnvelopeHeader | null {
  const namesItem = header.startsWith(itemMember, algorithmEnd);
  const more = namesItem ? itemLength : 0;
  if (header.length !== headerLength + more || !header.startsWith(prefix)) return null;
  const middleAt = algorithmEnd + more;
  if (!header.startsWith(middle, middleAt) || !header.endsWith(suffix)) return null;
  const algorithm = signatureAlgorithms.find((name) => header.startsWith(name, prefix.length));
  const thumbprint = header.slice(middleAt + middle.length, -suffix.length);
  const item = namesItem ? header.slice(itemAt, middleAt) : null;
  const isWhole = isDigest(thumbprint) && (item === null || isDigest(item));
  return algorithm !== undefined && isWhole ? { algorithm, thumbprint, item } : null;
}

/** Stands between a compact JWS and its item; neither can hold one. */
export const itemMark = '~';

/** Of the characters, whatever they are, and not of what they stand for: an item has one spelling, the signed one. */
export function itemDigest(item: string): string {
  return createHash('sha256').update(item, 'utf8').digest('base64url');
}
