// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../message/identifiers.ts';
import { signatureAlgorithms, type SignatureAlgorithm } from './key-algorithm.ts';

const prefix = '{"alg":"';
const middle = '","typ":"maso-envelope+jws","x5t#S256":"';
const suffix = '"}';
const thumbprintLength = 43;
/** All names of algorithms are of one length. */
const middleAt = prefix.length + 5;
const thumbprintAt = middleAt + middle.length;
const headerLength = thumbprintAt + thumbprintLength + suffix.length;

/** What the header of an envelope says; nothing of it has been believed yet. */
export type EnvelopeHeader = {
  readonly algorithm: SignatureAlgorithm;
  readonly thumbprint: string;
};

/**
 * The one protected header of an envelope (RFC 7515), in RFC 8785 form; it names the signer. The
 * algorithm is that of the signer's key.
 */
export function envelopeHeader(
  thumbprint: string,
  algorithm: SignatureAlgorithm = 'EdDSA',
): string {
  return prefix + algorithm + middle + thumbprint + suffix;
}

/**
 * What a received header names, or null unless the header is byte for byte an accepted form, one for
 * each algorithm. Nothing is parsed, so no `crit`, `jwk`, `jku` or duplicate member can mean anything.
 */
export function readEnvelopeHeader(header: string): EnvelopeHeader | null {
  if (header.length !== headerLength || !header.startsWith(prefix)) return null;
  if (!header.startsWith(middle, middleAt) || !header.endsWith(suffix)) return null;
  const algorithm = signatureAlgorithms.find((name) => header.startsWith(name, prefix.length));
  const thumbprint = header.slice(thumbprintAt, -suffix.length);
  return algorithm !== undefined && isDigest(thumbprint) ? { algorithm, thumbprint } : null;
}
