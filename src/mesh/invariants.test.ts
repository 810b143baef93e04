// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  editSample, loadFiles, sampleFile, sampleFiles, sampleText,
} from '../../test/mesh-files/sample.ts';

type Change = readonly [from: string, to: string];

function codesOf(changes: readonly Change[]): string[] {
  let text = sampleText;
  for (const [from, to] of changes) {
    expect(text).toContain(from);
    text = text.replace(from, () => to);
  }
  return loadFiles({ ...sampleFiles, [sampleFile]: text }).diagnostics
    .map((item) => `${item.severity} ${item.code}`);
}

const development: Change = ['autonomy_tier: 2', 'autonomy_tier: 2, development: true'];

describe('what maso check refuses', () => {
  it('accepts the sample without a word', () => {
    expect(codesOf([])).toEqual([]);
  });

  it('lets text pass unread in the parameter that says so, and in no other', () => {
    const opaque: Change = ['risk: LOW', 'risk: LOW\n      opaque: [invoice]'];
    const prose: Change = ['pattern: "^[0-9]{1,12}$"', 'maxLength: 20'];
    expect(codesOf([opaque, prose])).toEqual([]);
    const other: Change = ['risk: LOW', 'risk: LOW\n      opaque: [payee]'];
    expect(codesOf([other, prose])).toContain('error MESH_EXECUTOR_PROSE');
  });

  it.each<[string, readonly Change[], string]>([
    [
      'an executor with a tool of no action of its own',
      [['tools: [bank]', 'tools: [bank, mail]']],
      'MESH_DUTIES_EXECUTOR_TOOL',
    ],
    [
      'an executor that reads third-party data',
      [
        [
          'verified_payees.payees.*.name: trusted',
          'verified_payees.payees.*.name: trusted, memo: untrusted',
        ],
      ],
      'MESH_DUTIES_READS_AND_EXECUTES',
    ],
    [
      'an executor without the tool of its action',
      [['tools: [bank]', 'tools: []']],
      'MESH_DUTIES_TOOL_MISSING',
    ],
    [
      'an orchestrator with a tool',
      [['originator: true', 'tools: [mail]']],
      'MESH_DUTIES_ORCHESTRATOR_TOOL',
    ],
    [
      'an originator with a tool',
      [['originator: true', 'originator: true, tools: [mail]']],
      'MESH_DUTIES_ORIGINATOR_TOOL',
    ],
    [
      'a reader that holds a privileged tool',
      [['tools: [mail]', 'tools: [mail, bank]']],
      'MESH_DUTIES_PRIVILEGED_READER',
    ],
    [
      'an action requested of a reader',
      [['schemas: [invoice/1]', 'may_request: [check_payment]']],
      'MESH_DUTIES_NOT_EXECUTOR',
    ],
    [
      'a privileged action requested of a reader',
      [['schemas: [invoice/1]', 'may_request: [pay_invoice]']],
      'MESH_DUTIES_NOT_EXECUTOR',
    ],
    [
      'an executor that is not isolated',
      [['isolation: uid', 'isolation: none']],
      'MESH_ISOLATION_NONE',
    ],
    [
      'an executor that does not say how it is isolated',
      [['      isolation: uid\n', '']],
      'MESH_ISOLATION_NONE',
    ],
    ['a prose parameter', [['pattern: "^[0-9]{1,12}$"', 'maxLength: 20']], 'MESH_EXECUTOR_PROSE'],
    [
      'a parameters schema that takes more',
      [['additionalProperties: false\n        required', 'required']],
      'MESH_EXECUTOR_PROSE',
    ],
    [
      'a prose message to an executor',
      [['schemas: [status/1]', 'schemas: [invoice/1]']],
      'MESH_EXECUTOR_PROSE',
    ],
    [
      'a read that writes',
      [['status: { write: false }', 'status: { write: true }']],
      'MESH_WRITE_UNDERSTATED',
    ],
    [
      'a sensitive parameter that does not exist',
      [['payee: {', 'payeee: {']],
      'MESH_SENSITIVE_UNKNOWN',
    ],
    [
      'a capped parameter that does not exist',
      [['caps: { amount:', 'caps: { amuont:']],
      'MESH_SENSITIVE_UNKNOWN',
    ],
    ['a cap on text', [['caps: { amount:', 'caps: { payee:']], 'MESH_CAP_INVALID'],
    [
      'a bound on text',
      [['bank.verified_payees.payees.*.name]', 'bank.verified_payees.payees.*.name], at_most: 3']],
      'MESH_BOUND_INVALID',
    ],
    [
      'an irreversible parameter without a source',
      [['from: [prompt], at_most', 'at_most']],
      'MESH_SENSITIVE_UNBOUND',
    ],
    [
      'a source that no tool declares',
      [['from: [prompt, bank.verified_payees.payees.*.name]', 'from: [bank.verified_payees.name]']],
      'MESH_SOURCE_UNKNOWN',
    ],
    [
      'a source of an unknown tool',
      [['bank.verified_payees.payees.*.name]', 'ledger.verified_payees.payees.*.name]']],
      'MESH_SOURCE_UNKNOWN',
    ],
    [
      'a source that third parties write',
      [['from: [prompt], at_most', 'from: [mail.read_file.content], at_most']],
      'MESH_SOURCE_UNTRUSTED',
    ],
    [
      'a read whose address comes from an unknown field',
      [[
        'read_file: { write: false }',
        'read_file: { write: false, sensitive: { path: { from: [mail.read_file.nothing] } } }',
      ]],
      'MESH_SOURCE_UNKNOWN',
    ],
    [
      'a further source that third parties set',
      [[
        'payee: { from: [prompt,',
        'payee: { own_words: { from: [mail.read_file.content], texts: [invoice] }, from: [prompt,',
      ]],
      'MESH_SOURCE_UNTRUSTED',
    ],
    [
      'what an unknown action is to have done',
      [['payee: { from: [prompt,', 'payee: { from: [done.pay.payee, prompt,']],
      'MESH_SOURCE_UNKNOWN',
    ],
    [
      'a source after asked that third parties set',
      [['payee: { from: [prompt,', 'payee: { from: [asked.mail.read_file.content, prompt,']],
      'MESH_SOURCE_UNTRUSTED',
    ],
    [
      'a parameter named like a fact of the mesh',
      [['invoice: { type', 'requester: { type'], ['required: [invoice]', 'required: [requester]']],
      'MESH_PARAMETER_RESERVED',
    ],
    [
      'a CRITICAL action with one operator',
      [['risk: HIGH', 'risk: CRITICAL'], [/    bob.*\n/.exec(sampleText)?.[0] ?? '', '']],
      'MESH_OPERATORS_TOO_FEW',
    ],
    [
      'an attestation that nothing can give',
      [['tier: PLAINTEXT', 'attestation_required: true, tier: PLAINTEXT']],
      'MESH_ATTESTATION_UNAVAILABLE',
    ],
    [
      'two edges for one pair',
      [['  actions:\n', '    - { from: desk, to: triage, schemas: [status/1] }\n  actions:\n']],
      'MESH_EDGE_DUPLICATE',
    ],
    [
      'an edge to oneself',
      [['from: desk, to: triage', 'from: triage, to: triage']],
      'MESH_EDGE_SELF',
    ],
    [
      'an edge whose role the domain forbids',
      [['RETRIEVER, EXECUTOR]', 'EXECUTOR]']],
      'MESH_EDGE_ROLE',
    ],
    [
      'a HIGH action that a reader can have run unbound',
      [[/      sensitive:\n.*\n.*\n/.exec(sampleText)?.[0] ?? '', '']],
      'MESH_DUTIES_DELEGATED',
    ],
    [
      "an executor's credential upstream of it",
      [['tools: [mail] }', 'tools: [mail, bank] }']],
      'MESH_DUTIES_CREDENTIAL_UPSTREAM',
    ],
  ])('refuses %s', (_, changes, code) => {
    expect(codesOf(changes)).toContain(`error ${code}`);
  });

  it.each<[string, readonly Change[], string]>([
    [
      'a tier that this build cannot provide',
      [['tier: PLAINTEXT', 'tier: COMPUTATION']],
      'MESH_TIER_UNAVAILABLE',
    ],
    ['observing instead of enforcing', [['mode: enforce', 'mode: observe']], 'MESH_OBSERVE'],
    ['development mode', [development], 'MESH_DEVELOPMENT'],
    [
      'an executor without isolation in development',
      [development, ['isolation: uid', 'isolation: none']],
      'MESH_ISOLATION_NONE',
    ],
    [
      'an edge over which nothing passes',
      [['schemas: [invoice/1]', 'schemas: []']],
      'MESH_EDGE_IDLE',
    ],
    ['an action that nobody may request', [[', check_payment]', ']']], 'MESH_ACTION_UNREACHABLE'],
    [
      'a HIGH action without sensitive parameters that a person releases',
      [[/      sensitive:\n.*\n.*\n/.exec(sampleText)?.[0] ?? '', '      approval: required\n']],
      'MESH_SENSITIVE_NONE',
    ],
    [
      'an action without output',
      [['      output: schemas/receipt.json\n      sensitive', '      sensitive']],
      'MESH_OUTPUT_UNDECLARED',
    ],
    ['a reader without an OISpec', [['oispec: oispec/triage.yaml, ', '']], 'MESH_OISPEC_MISSING'],
    [
      'a HIGH action and no operator',
      [[/  operators:\n.*\n.*\n/.exec(sampleText)?.[0] ?? '', '']],
      'MESH_OPERATOR_NONE',
    ],
  ])('warns of %s', (_, changes, code) => {
    const codes = codesOf(changes);
    expect(codes).toContain(`warning ${code}`);
    expect(codes.filter((item) => item.startsWith('error'))).toEqual([]);
  });

  it('wants pins for a HIGH tool, and only warns without them in development', () => {
    const { '/mesh/security_mesh.pins.json': _, ...files } = sampleFiles;
    const codes = (text: string): string[] =>
      loadFiles({ ...files, [sampleFile]: text }).diagnostics
        .map((item) => `${item.severity} ${item.code}`);
    expect(codes(sampleText)).toContain('error MESH_TOOL_UNPINNED');
    expect(codes(sampleText.replace(...development))).not.toContain('error MESH_TOOL_UNPINNED');
    expect(codes(sampleText.replace(...development))).toContain('warning MESH_TOOL_UNPINNED');
  });

  it('takes a cap whose parameter may be negative or absent for no cap', () => {
    const file = '/mesh/schemas/pay_invoice.json';
    const changes: readonly Change[] = [
      ['"exclusiveMinimum": 0', '"minimum": -1'],
      ['"payee", "amount"]', '"payee"]'],
    ];
    for (const [from, to] of changes) {
      const { diagnostics } = loadFiles(editSample(from, to, file));
      expect(diagnostics.map((item) => item.code)).toContain('MESH_CAP_INVALID');
    }
  });

  it('points into the schema file for prose', () => {
    const file = '/mesh/schemas/receipt.json';
    const [first] = loadFiles(editSample(', "format": "uuid"', '', file)).diagnostics;
    expect(first).toMatchObject({ file, line: 4, code: 'MESH_EXECUTOR_PROSE' });
  });
});
