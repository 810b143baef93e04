// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { defaultScannerSettings, type Suppression } from '../mesh/scanner-settings.ts';
import { credentialMakers } from './credential-fixture.ts';
import { evasions, plantedItem, plantedText } from './planted-fixture.ts';
import { createScanner } from './scan.ts';
import { createSchemaRegistry } from './schema-registry.ts';
import { isLayered, suppressibleRules } from './suppressible-rules.ts';
import { suppressionDoubts } from './suppression-doubts.ts';

const dayMs = 86_400_000;
const expiresAt = Date.parse('2027-03-31T00:00:00Z') + dayMs;
const pack = {
  name: 'own', version: '1',
  rules: [{ id: 'falcon', kind: 'data', severity: 'high', pattern: 'falcon' }],
} as const;

function doubts(rule: string, nowMs = 0) {
  const item: Suppression = { rule, path: null, reason: 'made up', by: 'alice', expiresAt };
  const scanner = { ...defaultScannerSettings, packs: [pack], suppressions: [item] };
  return suppressionDoubts({ patterns: [{ id: 'ours', pattern: 'x', outcome: 'NO-GO' }], scanner }, nowMs);
}

describe('a suppression', () => {
  it.each([
    'secret/gitlab-tokens', 'secrets/*', 'pack/own.falke', 'pack/own', 'pattern/theirs', 'personal/e-mails',
    'hidden/base64+base65', 'hidden/split+', 'output/', 'nothing/*', 'personal/phon*',
  ])('of %s names no rule', (rule) => {
    expect(doubts(rule)).toMatchObject([{ index: 0, member: 'rule', code: 'SCAN_SUPPRESSION_UNMATCHED' }]);
  });

  it.each(['structure/*', 'schema/order', 'budget/rules'])('of %s does nothing: it cannot be suppressed', (rule) => {
    expect(doubts(rule)).toMatchObject([{ code: 'SCAN_SUPPRESSION_UNMATCHED' }]);
  });

  it('that names no rule is told what may have been meant', () => {
    expect(doubts('secret/gitlab-tokens')[0]?.message).toContain('did you mean "secret/gitlab-token"?');
    expect(doubts('secrets/*')[0]?.message).toContain('did you mean "secret/*"?');
  });

  it.each([
    'secret/gitlab-token', 'secret/*', 'injection/*', 'hidden/zero-width', 'hidden/base64', 'hidden/base64+gzip+rot13',
    'personal/iban', 'personal/by-name', 'output/*', 'output/system-prompt', 'manipulation/*', 'pattern/ours', 'pattern/*',
    'pack/own.falcon', 'pack/*',
  ])('of %s names a rule', (rule) => {
    expect(doubts(rule)).toEqual([]);
  });

  it('is said to have ended from its end on, and for a clock that is none', () => {
    expect(doubts('secret/*', expiresAt)).toMatchObject([{ member: 'expires', code: 'SCAN_SUPPRESSION_ENDED' }]);
    expect(doubts('secret/*', expiresAt)[0]?.message).toContain('2027-03-31');
    expect(doubts('secret/*', Number.NaN)).toMatchObject([{ code: 'SCAN_SUPPRESSION_ENDED' }]);
  });

  it('is said to end within 14 days, and not before', () => {
    expect(doubts('secret/*', expiresAt - 1)).toMatchObject([{ member: 'expires', code: 'SCAN_SUPPRESSION_ENDING' }]);
    expect(doubts('secret/*', expiresAt - 14 * dayMs)).toMatchObject([{ code: 'SCAN_SUPPRESSION_ENDING' }]);
    expect(doubts('secret/*', expiresAt - 14 * dayMs - 1)).toEqual([]);
  });
});

describe('the rules that may be suppressed', () => {
  it('are all that the scanner speaks of in planted secrets and personal data, also behind evasions', () => {
    const scanner = createScanner({
      schemas: createSchemaRegistry([]), patterns: [], digestKey: Buffer.alloc(32, 7), nowUs: () => 0,
      limits: { depthMax: 8, membersMax: 1000, stringLengthMax: 100_000, bytesMax: 200_000 },
    });
    const known = suppressibleRules([], []);
    let state = 11;
    const chance = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const texts = Object.values(credentialMakers).map((make) => make(chance));
    for (let index = 0; index < 63; index += 1) {
      const item = plantedItem(chance, index);
      const text = plantedText(chance, item);
      texts.push(text, ...evasions.flatMap(({ messages }) => messages(text, item)));
    }
    const spoken = new Set<string>();
    for (const text of texts) {
      const input = { value: { dob: text }, schemaId: null, type: null, channel: 'document' } as const;
      for (const { finding } of scanner.inspect(input)) if (!finding.rule.startsWith('budget/')) spoken.add(finding.rule);
    }
    expect(spoken.size).toBeGreaterThan(80);
    expect([...spoken].filter((rule) => !known.has(rule) && !isLayered(rule))).toEqual([]);
  });
});
