// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import type { Credential } from './credential.ts';
import { envelopeHeader } from './envelope-header.ts';
import { IdentityError } from './identity-error.ts';
import { signCompactJws, signingAlgorithm } from './jws.ts';

const headerParts = new WeakMap<Credential, string>();

/**
 * Signs the canonical bytes of a body as compact JWS (RFC 7515, RFC 7518, RFC 8037, RFC 8785). Throws
 * `IdentityError` IDENTITY_SENDER_MISMATCH when the body names another instance than the
 * credential, and `MessageError` when the body has no canonical form. The caller checks expiry.
 */
export function signEnvelope(body: EnvelopeBody, credential: Credential): SignedEnvelope {
  if (body.instance !== credential.spiffeId) {
    throw new IdentityError('IDENTITY_SENDER_MISMATCH', 'The body is of another instance.');
  }
  return signCompactJws(headerPart(credential), canonicalize(body), credential.privateKey);
}

function headerPart(credential: Credential): string {
  const known = headerParts.get(credential);
  if (known !== undefined) return known;
  const header = envelopeHeader(credential.thumbprint, signingAlgorithm(credential.privateKey));
  const part = Buffer.from(header, 'latin1').toString('base64url');
  headerParts.set(credential, part);
  return part;
}
