// SPDX-License-Identifier: Apache-2.0
import { IdentityError } from './identity-error.ts';

/** A SPIFFE id of this mesh: an agent's instance, or a bus node. */
export type SpiffeId =
  | {
      readonly kind: 'agent';
      readonly trustDomain: string;
      readonly name: string;
      readonly instance: string;
    }
  | { readonly kind: 'node'; readonly trustDomain: string; readonly name: string };

/** SPIFFE-ID 2.1 and 2.3: 255 bytes of trust domain, 2,048 bytes in all. */
const trustDomainForm = /^[a-z0-9._-]{1,255}$/;
const segmentForm = /^[a-zA-Z0-9._-]{1,255}$/;
const scheme = 'spiffe://';
const bytesMax = 2048;

/**
 * Reads `spiffe://TRUST-DOMAIN/agent/NAME/INSTANCE` or `spiffe://TRUST-DOMAIN/node/NAME`; null for
 * anything else. Nothing is normalised: an upper-case scheme or trust domain, a port, user info,
 * query, percent-encoding, empty or dot segment is not an id (SPIFFE-ID section 2).
 */
export function parseSpiffeId(text: string): SpiffeId | null {
  if (text.length > bytesMax || !text.startsWith(scheme)) return null;
  const [trustDomain, kind, name, instance, ...rest] = text.slice(scheme.length).split('/', 5);
  if (trustDomain === undefined || !trustDomainForm.test(trustDomain)) return null;
  if (name === undefined || !isSegment(name) || rest.length > 0) return null;
  if (kind === 'node') return instance === undefined ? { kind, trustDomain, name } : null;
  if (kind !== 'agent' || instance === undefined || !isSegment(instance)) return null;
  return { kind, trustDomain, name, instance };
}

/** The id of one instance of an agent. Throws IDENTITY_SPIFFE_ID_INVALID on illegal parts. */
export function agentSpiffeId(trustDomain: string, name: string, instance: string): string {
  return formatSpiffeId({ kind: 'agent', trustDomain, name, instance });
}

/** The id of a bus node. Throws IDENTITY_SPIFFE_ID_INVALID on illegal parts. */
export function nodeSpiffeId(trustDomain: string, name: string): string {
  return formatSpiffeId({ kind: 'node', trustDomain, name });
}

/** The text of an id. Throws IDENTITY_SPIFFE_ID_INVALID when a part is not legal. */
export function formatSpiffeId(id: SpiffeId): string {
  const path = id.kind === 'agent' ? `agent/${id.name}/${id.instance}` : `node/${id.name}`;
  const text = `${scheme}${id.trustDomain}/${path}`;
  // A part that holds a slash could shift the others and still parse, as another identity.
  if (parseSpiffeId(text)?.trustDomain === id.trustDomain) return text;
  throw new IdentityError('IDENTITY_SPIFFE_ID_INVALID', 'The parts do not make a SPIFFE id.');
}

function isSegment(text: string): boolean {
  return segmentForm.test(text) && text !== '.' && text !== '..';
}
