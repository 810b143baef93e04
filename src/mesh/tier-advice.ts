// SPDX-License-Identifier: Apache-2.0
import type { Classification } from '../message/envelope.ts';
import type { Domain, ProtectionTier } from './mesh.ts';

export type TierAdvice = {
  readonly code: 'MESH_TIER_WEAK' | 'MESH_TIER_STRONG';
  readonly text: string;
};

const order: readonly ProtectionTier[] = ['PLAINTEXT', 'RETRIEVAL', 'COMPUTATION', 'FHE'];

/**
 * Tiers that the decision matrix of seed 003 gives data of a classification: sandboxes stay in the
 * clear, coordination and memory are retrieved under policy, regulated data is computed on in private,
 * and full homomorphic encryption is for the most sensitive alone. `internal` is what a domain is
 * without a word of its own, so that only the others speak of too much.
 */
const fitting: { readonly [of in Classification]: readonly [ProtectionTier, ProtectionTier] } = {
  public: ['PLAINTEXT', 'PLAINTEXT'],
  internal: ['PLAINTEXT', 'FHE'],
  confidential: ['RETRIEVAL', 'COMPUTATION'],
  restricted: ['RETRIEVAL', 'FHE'],
};

/** Whether this build can protect data in a tier; in the others it refuses every exchange. */
export function isTierProvided(tier: ProtectionTier): boolean {
  return tier === 'PLAINTEXT' || tier === 'RETRIEVAL';
}

/** What to say of a domain whose tier does not fit its data; null where it does, or nobody works on it. */
export function tierAdvice(
  { name, tier, classification }: Pick<Domain, 'name' | 'tier' | 'classification'>,
  development: boolean,
): TierAdvice | null {
  const [least, most] = fitting[classification];
  if (order.indexOf(tier) < order.indexOf(least)) {
    if (development) return null;
    const text = `The domain ${name} holds ${classification} data in ${tier}; it asks for ${least}.`;
    return { code: 'MESH_TIER_WEAK', text };
  }
  if (order.indexOf(tier) <= order.indexOf(most)) return null;
  const text = `The domain ${name} holds ${classification} data in ${tier}; ${most} is enough for it.`;
  return { code: 'MESH_TIER_STRONG', text };
}
