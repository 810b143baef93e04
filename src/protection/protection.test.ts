// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { protectionSuite } from './protection.suite.ts';
import { plaintextProtection } from './protection.ts';

protectionSuite('plaintext', () => plaintextProtection);

it.each(['RETRIEVAL', 'COMPUTATION', 'FHE'] as const)('refuses %s instead of going without', (tier) => {
  expect(plaintextProtection.refusal(tier)?.code).toBe('PROTECTION_TIER_UNAVAILABLE');
});
