// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { Classification } from '../message/envelope.ts';
import type { ProtectionTier } from './mesh.ts';
import { tierAdvice } from './tier-advice.ts';

const adviceOn = (classification: Classification, tier: ProtectionTier, development = false) =>
  tierAdvice({ name: 'd', tier, classification }, development)?.code ?? null;

// Seed 003, decision matrix; FHE for everything is the pitfall "FHE over-engineering" of its table.
it.each<[Classification, ProtectionTier, string | null]>([
  ['public', 'PLAINTEXT', null],
  ['public', 'RETRIEVAL', 'MESH_TIER_STRONG'],
  ['public', 'FHE', 'MESH_TIER_STRONG'],
  ['internal', 'PLAINTEXT', null],
  ['internal', 'RETRIEVAL', null],
  ['confidential', 'PLAINTEXT', 'MESH_TIER_WEAK'],
  ['confidential', 'RETRIEVAL', null],
  ['confidential', 'COMPUTATION', null],
  ['confidential', 'FHE', 'MESH_TIER_STRONG'],
  ['restricted', 'PLAINTEXT', 'MESH_TIER_WEAK'],
  ['restricted', 'RETRIEVAL', null],
  ['restricted', 'COMPUTATION', null],
  ['restricted', 'FHE', null],
])('%s data in %s: %s', (classification, tier, code) => {
  expect(adviceOn(classification, tier)).toBe(code);
});

it('sandboxes stay in the clear; too much is too much there as well', () => {
  expect(adviceOn('restricted', 'PLAINTEXT', true)).toBeNull();
  expect(adviceOn('public', 'FHE', true)).toBe('MESH_TIER_STRONG');
});
