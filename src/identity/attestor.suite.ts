// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Attestor } from './attestor.ts';
import type { PeerIdentity } from './credential.ts';

/** What every `Attestor` does: without proof the answer is no. */
export function attestorSuite(name: string, create: () => Attestor): void {
  describe(`${name} as an attestor`, () => {
    it('says no of an instance that has proven nothing', () => {
      const peer: PeerIdentity = {
        kind: 'agent',
        name: 'stranger',
        spiffeId: 'spiffe://example.test/agent/stranger/one',
        thumbprint: 'x'.repeat(43),
        notBeforeMs: 0,
        expiresAtMs: 1,
        publicKey: generateKeyPairSync('ed25519').publicKey,
      };
      expect(create().attested(peer)).toBe(false);
    });
  });
}
