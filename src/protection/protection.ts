// SPDX-License-Identifier: Apache-2.0
import type { Domain, ProtectionTier } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { ProtectionCode } from './codes.ts';

export type ProtectionRefusal = { readonly code: ProtectionCode; readonly drop: false };

/** A body as it may travel, or why it may not. */
export type Sealed =
  | {
      readonly ok: true;
      readonly body: EnvelopeBody;
      /** What is sealed, base64url: it travels beside the signed body. Null where nothing is. */
      readonly item: string | null;
    }
  | { readonly ok: false; readonly code: string };

/** A data key by its id, and what it is bound to; see `bindingOf`. Neither is secret. */
export type NewKey = { readonly key: string; readonly binding: string };

/** A body with its payload in clear, or why it has none. */
export type Opened =
  | {
      readonly ok: true;
      readonly body: EnvelopeBody;
      /** Resolves when its data key survives a crash; until then it is not admitted. Absent: it does. */
      readonly kept?: Promise<void>;
      /** Beside `kept`: the data key that is new, which its recipient may ask for meanwhile. */
      readonly newKey?: NewKey;
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
   * The body with its payload in clear; `item` came beside it. Answers at once where the key is at
   * hand. Never rejects: what cannot be asked just now is PROTECTION_UNAVAILABLE.
   */
  open(body: EnvelopeBody, item: string | null, domain: Domain): Opened | Promise<Opened>;
}

/** What a sidecar needs as well. */
export interface SealingProtection extends Protection {
  /** The body as it may travel. Same contract as `open`. */
  seal(body: EnvelopeBody, domain: Domain): Sealed | Promise<Sealed>;
  /** The policy, a revocation or the node changed: whatever was granted before is void. */
  forget(): void;
}

/** PLAINTEXT inside mutual TLS, and nothing stronger. */
export const plaintextProtection: SealingProtection = {
  refusal: (tier) => (tier === 'PLAINTEXT' ? null : unavailable),
  open: (body, item, { tier }) => (tier === 'PLAINTEXT' ? openedClear(body, item) : tierUnavailable),
  seal: (body, { tier }) => (tier === 'PLAINTEXT' ? { ok: true, body, item: null } : tierUnavailable),
  forget: () => undefined,
};

const unavailable: ProtectionRefusal = { code: 'PROTECTION_TIER_UNAVAILABLE', drop: false };
const tierUnavailable = { ok: false, code: unavailable.code } as const;
const itemForeign: Opened = { ok: false, code: 'PROTECTION_ITEM_FOREIGN' };

/** The body of a message in clear: nothing travels beside it that nobody looks at. */
export function openedClear(body: EnvelopeBody, item: string | null): Opened {
  return item === null ? { ok: true, body } : itemForeign;
}

/** What this build provides: PLAINTEXT and RETRIEVAL. */
export function providedTierRefusal(tier: ProtectionTier): ProtectionRefusal | null {
  return tier === 'PLAINTEXT' || tier === 'RETRIEVAL' ? null : unavailable;
}
