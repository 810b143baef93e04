// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from './credential.ts';

/**
 * Says whether an instance has proven the integrity of its runtime environment (seed 003, "ignoring
 * endpoint attestation"). Absence of proof is `false`; it never throws.
 */
export interface Attestor {
  attested(peer: PeerIdentity): boolean;
}

/** The first implementation: nobody is attested, so domains that ask for it refuse everybody. */
export const noAttestor: Attestor = { attested: () => false };
