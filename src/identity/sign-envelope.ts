// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import type { Credential } from './credential.ts';
import { envelopeHeader, itemDigest, itemMark } from './envelope-header.ts';
import { IdentityError } from './identity-error.ts';
import { signCompactJws, signingAlgorithm } from './jws.ts';

const headerParts = new WeakMap<Credential, string>();

/**
 * Signs the canonical bytes of a body as compact JWS (RFC 7515, RFC 7518, RFC 8037, RFC 8785). Throws
 * `IdentityError` IDENTITY_SENDER_MISMATCH when the body names another instance than the
 * credential, and `MessageError` when the body has no canonical form. The caller checks expiry.
 *
 * `item` is base64url text that travels beside the body; the signature holds its SHA-256.
 */
export function signEnvelope(
  body: EnvelopeBody,
  credential: Credential,
  item: string | null = null,
): SignedEnvelope {
  if (body.instance !== credential.spiffeId) {
    throw new IdentityError('IDENTITY_SENDER_MISMATCH', 'The body is of another instance.');
  }
  const header = item === null ? headerPart(credential) : headerWith(itemDigest(item), credential);
  const jws = signCompactJws(header, canonicalize(body), credential.privateKey);
  return item === null ? jws : `${jws}${itemMark}${item}`;
}

function headerPart(credential: Credential): string {
  const known = headerParts.get(credential);
  if (known !== undefined) return known;
  const part = headerWith(null, credential);
  headerParts.set(credential, part);
  return part;
}

function headerWith(item: string | null, { thumbprint, privateKey }: Credential): string {
  const header = envelopeHeader(thumbprint, signingAlgorithm(privateKey), item);
  return Buffer.from(header, 'latin1').toString('base64url');
}
