// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { protectionSuite } from './protection.suite.ts';
import { openedClear, plaintextProtection } from './protection.ts';
import { clear } from './retrieval-fixture.ts';

protectionSuite('plaintext', () => plaintextProtection);

it.each(['RETRIEVAL', 'COMPUTATION', 'FHE'] as const)('refuses %s instead of going without', (tier) => {
  expect(plaintextProtection.refusal(tier)?.code).toBe('PROTECTION_TIER_UNAVAILABLE');
});

it('opens no message in clear that something else travels with', () => {
  const body = clear();
  expect(openedClear(body, null)).toEqual({ ok: true, body });
  for (const item of ['', 'QUJD']) {
    expect(openedClear(body, item)).toEqual({ ok: false, code: 'PROTECTION_ITEM_FOREIGN' });
  }
});
