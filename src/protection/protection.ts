// SPDX-License-Identifier: Apache-2.0
import type { ProtectionTier } from '../mesh/mesh.ts';
import type { ProtectionCode } from './codes.ts';

export type ProtectionRefusal = { readonly code: ProtectionCode; readonly drop: false };

/**
 * Says which protection tiers (seed 003) this build can provide. A tier that it cannot provide
 * refuses every exchange, and never falls back to plaintext.
 */
export interface Protection {
  refusal(tier: ProtectionTier): ProtectionRefusal | null;
}

/** PLAINTEXT inside mutual TLS, and nothing stronger. */
export const plaintextProtection: Protection = {
  refusal: (tier) =>
    tier === 'PLAINTEXT' ? null : { code: 'PROTECTION_TIER_UNAVAILABLE', drop: false },
};
