// SPDX-License-Identifier: Apache-2.0
import type { RevocationView } from '../identity/revocation.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { JsonObject } from '../message/json.ts';
import type { Linked } from './link.ts';
import type { EffectiveMandate } from './mandate.ts';
import { delegateTermsOf, rootAuthorityOf, verifyMandate, type MandateContext } from './verify.ts';

export type MandateVerifierOptions = {
  readonly mesh: Mesh;
  readonly peer: MandateContext['peerByThumbprint'];
  /** Operators as they stand now: those of the mesh file, or the one of this machine. */
  readonly operatorKey: (operator: string) => JsonObject | null;
  readonly revocations: RevocationView;
  /** Whether the revocations known here are as new as the lease asks for. */
  readonly isFresh: () => boolean;
  readonly clock: Clock;
};

/** A chain as it was presented, and by whom. */
export type Presented = {
  readonly task: string;
  readonly audience: { readonly name: string; readonly spiffeId: string };
  readonly staleSnapshot: 'refuse' | 'accept';
};

/** Believes a chain, or says why not; see `verifyMandate`. */
export type MandateVerifier = (chain: string, presented: Presented) => Linked;

/**
 * Binds the verifier to one process: its mesh, its revocations, its clock and a cache of its own. A
 * depth of three is approved where an operator signed the first mandate, reference and all: that
 * signature is the person's approval, and every entry that names the mandate records it.
 */
export function createMandateVerifier(options: MandateVerifierOptions): MandateVerifier {
  const { mesh, peer, operatorKey, revocations, isFresh, clock } = options;
  const rootAuthority = { ...rootAuthorityOf(mesh), operatorKey };
  const delegateTerms = delegateTermsOf(mesh);
  const cache = new Map<string, EffectiveMandate>();
  return (chain, presented) =>
    verifyMandate(chain, {
      ...presented,
      peerByThumbprint: peer,
      revocations: {
        version: revocations.version,
        validUntilMs: isFresh() ? Infinity : 0,
        identities: revocations,
        mandates: { has: (id) => revocations.isMandateRevoked(id) },
        tasks: { has: (task) => revocations.isTaskEnded(task) },
      },
      nowMs: clock.nowMs(),
      clockSkewMs: mesh.limits.clockSkewMs,
      rootAuthority,
      delegateTerms,
      isDepthApproved: (_reference, _task, root) => root.startsWith('operator:'),
      policyVersion: mesh.digest,
      cache,
    });
}
