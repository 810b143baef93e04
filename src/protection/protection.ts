// SPDX-License-Identifier: Apache-2.0
import type { Domain, ProtectionTier } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { ProtectionCode } from './codes.ts';

export type ProtectionRefusal = { readonly code: ProtectionCode; readonly drop: false };

/** A body with its payload in the other form, or why it has none. */
export type Turned =
  | {
      readonly ok: true;
      readonly body: EnvelopeBody;
      /** Resolves when its data key survives a crash; until then it is not admitted. Absent: it does. */
      readonly kept?: Promise<void>;
    }
  | { readonly ok: false; readonly code: string };

/**
 * Opens payloads for a protection tier (seed 003). A tier that cannot be provided refuses every
 * exchange, and never falls back to plaintext.
 */
export interface Protection {
  /** Whether the tier can be provided at all. */
  refusal(tier: ProtectionTier): ProtectionRefusal | null;
  /**
   * The body with its payload in clear. Answers at once where the key is at hand. Never rejects:
   * what cannot be asked just now is PROTECTION_UNAVAILABLE.
   */
  open(body: EnvelopeBody, domain: Domain): Turned | Promise<Turned>;
}

/** What a sidecar needs as well. */
export interface SealingProtection extends Protection {
  /** The body as it may travel. Same contract as `open`. */
  seal(body: EnvelopeBody, domain: Domain): Turned | Promise<Turned>;
  /** The policy, a revocation or the node changed: whatever was granted before is void. */
  forget(): void;
}

/** PLAINTEXT inside mutual TLS, and nothing stronger. */
export const plaintextProtection: SealingProtection = {
  refusal: (tier) => (tier === 'PLAINTEXT' ? null : unavailable),
  open: (body, { tier }) => (tier === 'PLAINTEXT' ? { ok: true, body } : tierUnavailable),
  seal: (body, { tier }) => (tier === 'PLAINTEXT' ? { ok: true, body } : tierUnavailable),
  forget: () => undefined,
};

const unavailable: ProtectionRefusal = { code: 'PROTECTION_TIER_UNAVAILABLE', drop: false };
const tierUnavailable: Turned = { ok: false, code: unavailable.code };

/** What this build provides: PLAINTEXT and RETRIEVAL. */
export function providedTierRefusal(tier: ProtectionTier): ProtectionRefusal | null {
  return tier === 'PLAINTEXT' || tier === 'RETRIEVAL' ? null : unavailable;
}
