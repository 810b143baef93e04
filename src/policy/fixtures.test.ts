// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { meshWith } from '../../test/mesh-files/request.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { CedarPolicies } from './cedar.ts';
import { parseFixtures, policyTestSchema } from './fixtures-file.ts';
import { runFixtures, type FixtureResult } from './fixtures.ts';

const file = '/mesh/payments.policy-test.yaml';

// What a sidecar without isolation stamps is not believed.
const isolated = ['role: RETRIEVER, zone', 'role: RETRIEVER, isolation: uid, zone'] as const;
const base = meshWith([isolated]);

const sound = `cases:
  - name: ordered
    requester: triage
    executor: payments
    action: pay_invoice
    parameters: { invoice: "42", payee: ACME, amount: 98.7 }
    context: { sources: { payee: [prompt], amount: [prompt] } }
    expect: GO
    codes: []
`;

function diagnosticsOf(text: string) {
  const parsed = parseFixtures(file, text, base);
  return parsed.ok ? [] : parsed.diagnostics;
}

function run(text: string, mesh = base): FixtureResult {
  const parsed = parseFixtures(file, text, mesh);
  if (!parsed.ok) throw new Error(parsed.diagnostics.map(({ code }) => code).join(', '));
  const [result] = runFixtures(parsed.fixtures, mesh, null);
  if (result === undefined) throw new Error('there is one case');
  return result;
}

describe('policy tests', () => {
  it('are completed in editors by what the parser takes', () => {
    const schema = new URL('../../schema/policy-test.json', import.meta.url);
    expect(readFileSync(schema, 'utf8')).toBe(policyTestSchema());
  });

  it.each<[string, string, string, string, number]>([
    ['an unknown key', 'expect: GO', 'expcet: GO', 'MESH_KEY_UNKNOWN', 8],
    ['a misspelt requester', 'requester: triage', 'requester: triag', 'MESH_AGENT_UNKNOWN', 3],
    ['a misspelt executor', 'executor: payments', 'executor: payment', 'MESH_AGENT_UNKNOWN', 4],
    ['a misspelt action', 'action: pay_invoice', 'action: pay_invoce', 'MESH_ACTION_UNKNOWN', 5],
    ['a misspelt source target', 'payee: [prompt]', 'paye: [prompt]', 'MESH_VALUE_INVALID', 7],
    ['a misspelt code', 'codes: []', 'codes: [POLICY_EDGE_DENID]', 'MESH_VALUE_INVALID', 9],
    ['an unknown verdict', 'expect: GO', 'expect: MAYBE', 'MESH_VALUE_INVALID', 8],
    ['an unknown domain', 'context: {', 'context: { domain: biling,', 'MESH_DOMAIN_UNKNOWN', 7],
    ['no case at all', sound, 'cases: []\n', 'MESH_VALUE_INVALID', 1],
    ['a cap that the action has not', 'context: {', 'context: { cap_used: { payee: 1 },',
      'MESH_VALUE_INVALID', 7],
  ])('refuses %s with its line', (_, from, to, code, line) => {
    expect(diagnosticsOf(sound.replace(from, () => to)))
      .toContainEqual(expect.objectContaining({ code, line, file }));
  });

  it('refuses two cases of one name', () => {
    const twice = `${sound}${sound.slice('cases:\n'.length)}`;
    expect(diagnosticsOf(twice)).toMatchObject([{ code: 'MESH_NAME_DUPLICATE', line: 10 }]);
  });

  it('suggests the name that was meant', () => {
    const [first] = diagnosticsOf(sound.replace('requester: triage', 'requester: triag'));
    expect(first?.message).toContain('did you mean "triage"?');
  });

  it('fails at expect when the verdict differs, with codes and paths and no value', () => {
    const secret = 'DE89370400440532013000';
    const text = sound.replace('payee: ACME', `payee: ${secret}`)
      .replace('payee: [prompt], ', '').replace('    codes: []\n', '');
    const result = run(text);
    expect(result).toMatchObject({ passed: false, outcome: 'NO-GO' });
    expect(result.codes).toEqual(['POLICY_SOURCE_UNTRUSTED']);
    expect(result.diagnostics).toMatchObject([
      { code: 'POLICY_TEST_FAILED', file, line: 8, column: 13 },
    ]);
    expect(JSON.stringify(result)).not.toContain(secret);
  });

  it.each<[string, string]>([
    ['a code that is missing', 'codes: [POLICY_SOURCE_UNTRUSTED, POLICY_EDGE_DENIED]'],
    ['a code that was not named', 'codes: []'],
  ])('fails at codes for %s, although the verdict is right', (_, codes) => {
    const text = sound.replace('payee: [prompt], ', '')
      .replace('expect: GO', 'expect: NO-GO').replace('codes: []', codes);
    expect(run(text).diagnostics).toMatchObject([{ code: 'POLICY_TEST_FAILED', line: 9 }]);
  });

  it.each<[string, string, string]>([
    ['too many hand-offs', 'context: {', 'context: { hop: 9,'],
    ['a cap that is used up', 'context: {', 'context: { cap_used: { amount: 7950 },'],
    ['a prompt that names no payee', 'payee: [prompt]', 'payee: [mail.read_file.content]'],
  ])('sees %s', (_, from, to) => {
    expect(run(sound.replace(from, () => to))).toMatchObject({ passed: false, outcome: 'NO-GO' });
  });

  it('passes what the check lets pass, refuses and holds', () => {
    expect(run(sound)).toMatchObject({ passed: true, outcome: 'GO', codes: [] });
    const refused = sound.replace('payee: [prompt], ', '')
      .replace('expect: GO', 'expect: NO-GO')
      .replace('codes: []', 'codes: [POLICY_SOURCE_UNTRUSTED]');
    expect(run(refused)).toMatchObject({ passed: true });
    const held = sound.replace('expect: GO', 'expect: ESCALATE')
      .replace('codes: []', 'codes: [POLICY_APPROVAL_REQUIRED]');
    const approval = ['      risk: HIGH', '      approval: required\n      risk: HIGH'] as const;
    const mesh = meshWith([isolated, approval]);
    expect(run(held, mesh)).toMatchObject({ passed: true, outcome: 'ESCALATE' });
  });

  it('asks the Cedar policies', async () => {
    const mesh = sampleMesh([isolated]);
    const text = sound.replace('98.7', '4500').replace('expect: GO', 'expect: NO-GO')
      .replace('codes: []', 'codes: [POLICY_CEDAR_DENIED]');
    const parsed = parseFixtures(file, text, mesh);
    if (!parsed.ok) throw new Error('the case parses');
    expect(runFixtures(parsed.fixtures, mesh, await CedarPolicies.load(mesh)))
      .toMatchObject([{ passed: true }]);
    // Policies that are configured and not loaded refuse, as they do at run time.
    expect(runFixtures(parsed.fixtures, mesh, null)).toMatchObject([{ passed: false }]);
  });
});
