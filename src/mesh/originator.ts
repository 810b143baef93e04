// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Agent } from './mesh.ts';

/**
 * Whether a message claims to be a person's own words although its sender relays no person. Sidecars
 * of other agents never stamp so: what an agent says is at most `internal`. It holds against an
 * agent that took its sidecar's key, which could otherwise make every value a prompt's (G5).
 */
export function usurpsPerson(
  body: Pick<EnvelopeBody, 'label' | 'provenance'>,
  sender: Pick<Agent, 'originator'>,
): boolean {
  const relays = sender.originator && body.provenance.source === 'user';
  const claims = body.provenance.source === 'user' || body.label.integrity === 'trusted';
  return claims && !relays;
}
