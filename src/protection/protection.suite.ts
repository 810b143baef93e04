// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { ProtectionTier } from '../mesh/mesh.ts';
import type { Protection } from './protection.ts';
import { protectionCodes } from './codes.ts';

const protectionTiers: readonly ProtectionTier[] = ['PLAINTEXT', 'RETRIEVAL', 'COMPUTATION', 'FHE'];

/** What every `Protection` does: a tier is provided, or refused with its code. */
export function protectionSuite(name: string, create: () => Protection): void {
  describe(`${name} as protection`, () => {
    it.each(protectionTiers)('provides %s, or refuses it with a code', (tier) => {
      const refusal = create().refusal(tier);
      expect(refusal === null || Object.keys(protectionCodes).includes(refusal.code)).toBe(true);
    });

    it('refuses a tier that nobody has heard of', () => {
      const tier: unknown = JSON.parse('"TIN_FOIL"');
      expect(create().refusal(tier as 'FHE')).not.toBeNull();
    });
  });
}
