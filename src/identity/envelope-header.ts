// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../message/identifiers.ts';

const prefix = '{"alg":"EdDSA","typ":"maso-envelope+jws","x5t#S256":"';
const suffix = '"}';
const thumbprintLength = 43;

/** The one protected header of an envelope (RFC 7515), in RFC 8785 form; it names the signer. */
export function envelopeHeader(thumbprint: string): string {
  return prefix + thumbprint + suffix;
}

/**
 * The thumbprint that a received header names, or null unless the header is byte for byte the
 * accepted form. Nothing is parsed, so no `alg`, `crit`, `jwk`, `jku` or duplicate member can mean
 * anything.
 */
export function readEnvelopeHeader(header: string): string | null {
  if (header.length !== prefix.length + thumbprintLength + suffix.length) return null;
  if (!header.startsWith(prefix) || !header.endsWith(suffix)) return null;
  const thumbprint = header.slice(prefix.length, -suffix.length);
  return isDigest(thumbprint) ? thumbprint : null;
}
