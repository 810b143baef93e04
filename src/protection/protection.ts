// SPDX-License-Identifier: Apache-2.0
import type { ProtectionTier } from '../mesh/mesh.ts';

export type ProtectionRefusal = { readonly code: string; readonly drop: false };

/**
 * Seals and opens payloads for a protection tier (seed 003). `refusal` says whether this build can
 * provide the tier at all; a tier it cannot provide refuses every exchange, and never falls back to
 * plaintext.
 */
export interface Protection {
  refusal(tier: ProtectionTier): ProtectionRefusal | null;
}

/** The first implementation: PLAINTEXT inside mutual TLS, and nothing stronger. */
export const plaintextProtection: Protection = {
  refusal: (tier) => (tier === 'PLAINTEXT' ? null : { code: 'PROTECTION_TIER_UNAVAILABLE', drop: false }),
};
