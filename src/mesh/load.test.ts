// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  editSample, loadFiles, sampleFile, sampleFiles, sampleMesh, sampleText,
} from '../../test/mesh-files/sample.ts';
import type { Diagnostic } from './diagnostic.ts';
import { formatDiagnostic } from './diagnostic.ts';

const spec = '/mesh/oispec/payments.yaml';
const parameters = '/mesh/schemas/pay_invoice.json';

/** A mistake: what is replaced by what, the code, and the text at which the code must point. */
type Mistake = {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly code: string;
  readonly at: string;
  /** File that is edited, and file that is pointed at; both the mesh file unless said. */
  readonly file?: string;
  readonly pointsInto?: string;
  readonly severity?: 'warning';
};

const mistakes: readonly Mistake[] = [
  {
    name: 'an unknown key in a section', from: 'trust_domain:', to: 'trust_domian:',
    code: 'MESH_KEY_UNKNOWN', at: 'trust_domian',
  },
  {
    name: 'an unknown key in global', from: 'autonomy_tier:', to: 'autonomy_teir:',
    code: 'MESH_KEY_UNKNOWN', at: 'autonomy_teir',
  },
  {
    name: 'an unknown key in an agent', from: 'isolation: uid', to: 'isolate: uid',
    code: 'MESH_KEY_UNKNOWN', at: 'isolate',
  },
  {
    name: 'an unknown key deep in an action', from: 'at_most: 5000', to: 'atmost: 5000',
    code: 'MESH_KEY_UNKNOWN', at: 'atmost',
  },
  {
    name: 'a role that does not exist', from: 'role: EXECUTOR', to: 'role: EXECUTER',
    code: 'MESH_VALUE_INVALID', at: 'EXECUTER',
  },
  {
    name: 'a missing role', from: '      role: EXECUTOR\n', to: '', code: 'MESH_KEY_MISSING',
    at: 'zone: core\n      oispec',
  },
  {
    name: 'a rotation interval over an hour', from: '600000', to: '3600001',
    code: 'MESH_VALUE_INVALID', at: '3600001',
  },
  {
    name: 'a rotation interval that is text', from: '600000', to: 'soon',
    code: 'MESH_VALUE_INVALID', at: 'soon',
  },
  {
    name: 'a rotation interval that is not a number', from: '600000', to: '.nan',
    code: 'MESH_VALUE_INVALID', at: '.nan',
  },
  {
    name: 'an infinite limit', from: 'messages_per_second: 500', to: 'messages_per_second: .inf',
    code: 'MESH_VALUE_INVALID', at: '.inf',
  },
  {
    name: 'TLS below 1.3', from: '"1.3", c', to: '"1.2", c', code: 'MESH_VALUE_INVALID',
    at: '"1.2"',
  },
  {
    name: 'an autonomy tier of 4', from: 'autonomy_tier: 2', to: 'autonomy_tier: 4',
    code: 'MESH_VALUE_INVALID', at: '4 }',
  },
  {
    name: 'a duplicate key', from: '  mode: enforce\n', to: '  mode: enforce\n  mode: observe\n',
    code: 'MESH_KEY_DUPLICATE', at: 'mode: observe',
  },
  {
    name: 'a custom tag', from: 'mode: enforce', to: 'mode: !js enforce', code: 'MESH_SYNTAX',
    at: '!js',
  },
  {
    name: 'a prototype key', from: '  mode: enforce\n', to: '  __proto__: { mode: observe }\n',
    code: 'MESH_KEY_FORBIDDEN', at: '__proto__',
  },
  {
    name: 'a name that no identity can carry', from: '    desk: {', to: '    Desk Agent: {',
    code: 'MESH_NAME_INVALID', at: 'Desk Agent',
  },
  {
    name: 'an unknown zone', from: 'zone: outside', to: 'zone: outsde',
    code: 'MESH_ZONE_UNKNOWN', at: 'outsde',
  },
  {
    name: 'an unknown agent in an edge', from: 'from: desk', to: 'from: dsk',
    code: 'MESH_AGENT_UNKNOWN', at: 'dsk',
  },
  {
    name: 'an unknown domain in defaults', from: 'domain: billing', to: 'domain: biling',
    code: 'MESH_DOMAIN_UNKNOWN', at: 'biling',
  },
  {
    name: 'an unknown tool of an agent', from: 'tools: [mail]', to: 'tools: [mial]',
    code: 'MESH_TOOL_UNKNOWN', at: 'mial',
  },
  {
    name: 'an unknown tool of an action', from: 'tool: bank.status', to: 'tool: bnk.status',
    code: 'MESH_TOOL_UNKNOWN', at: 'bnk.status',
  },
  {
    name: 'an unknown action on an edge', from: 'may_request: [pay_invoice,',
    to: 'may_request: [pay_invoce,', code: 'MESH_ACTION_UNKNOWN', at: 'pay_invoce',
  },
  {
    name: 'an unknown message schema', from: 'schemas: [invoice/1]', to: 'schemas: [invoice/2]',
    code: 'MESH_SCHEMA_UNKNOWN', at: 'invoice/2',
  },
  {
    name: 'an action request listed as a message', from: 'schemas: [status/1]',
    to: 'schemas: [action-request/1]', code: 'MESH_SCHEMA_RESERVED', at: 'action-request/1',
  },
  {
    name: 'a redefined built-in schema', from: '    invoice/1:\n',
    to: '    action-outcome/1: { type: data, schema: {} }\n    invoice/1:\n',
    code: 'MESH_SCHEMA_RESERVED', at: 'action-outcome/1',
  },
  {
    name: 'a schema with an unknown keyword', from: '"maxLength": 32', to: '"maxLenght": 32',
    file: parameters, pointsInto: parameters, code: 'MESH_SCHEMA_INVALID', at: '{\n  "type"',
  },
  {
    name: 'a schema with an invalid type', from: '"type": "number"', to: '"type": "numbr"',
    file: parameters, pointsInto: parameters, code: 'MESH_SCHEMA_INVALID', at: '"numbr"',
  },
  {
    name: 'a schema with look-ahead', from: '^[A-Za-z0-9-]+$', to: '^(?=a)[a-z]+$',
    file: parameters, pointsInto: parameters, code: 'MESH_SCHEMA_INVALID', at: '{\n  "type"',
  },
  {
    name: 'a missing schema file', from: 'parameters: schemas/pay_invoice.json',
    to: 'parameters: schemas/pay.json', code: 'MESH_FILE_MISSING', at: 'schemas/pay.json',
  },
  {
    name: 'a schema file that is not JSON', from: '"required": [', to: '"required": @[',
    file: parameters, pointsInto: parameters, code: 'MESH_SYNTAX', at: '@[',
  },
  {
    name: 'an OISpec of another agent', from: 'agent_id: payments', to: 'agent_id: triage',
    file: spec, pointsInto: spec, code: 'MESH_OISPEC_AGENT', at: 'triage\n',
  },
  {
    name: 'an OISpec role that does not fit', from: 'agent_role: task',
    to: 'agent_role: orchestrator', file: spec, pointsInto: spec, code: 'MESH_OISPEC_ROLE',
    at: 'orchestrator',
  },
  {
    name: 'an OISpec that was changed after it was hashed', from: 'version: "3"\n',
    to: `version: "3"\noisspec_hash: ${'b'.repeat(43)}\n`, file: spec, pointsInto: spec,
    code: 'MESH_OISPEC_HASH', at: 'b'.repeat(43),
  },
  {
    name: 'an unknown key in an OISpec', from: 'permitted_tools', to: 'permited_tools',
    file: spec, pointsInto: spec, code: 'MESH_KEY_UNKNOWN', at: 'permited_tools',
  },
  {
    name: 'an OISpec that does not permit the action', from: 'pay_invoice, ', to: '', file: spec,
    code: 'MESH_OISPEC_DENIES', at: 'oispec/payments.yaml', severity: 'warning',
  },
  {
    name: 'an executor without an OISpec', from: '      oispec: oispec/payments.yaml\n', to: '',
    code: 'MESH_OISPEC_MISSING', at: 'payments:\n',
  },
  {
    name: 'a tool with two ways to run', from: 'mcp: { stdio: [node, ./bank/server.ts] }',
    to: 'mcp: { stdio: [node], http: "https://x" }', code: 'MESH_TOOL_RUNNER', at: 'bank:\n',
  },
  {
    name: 'a tool with no way to run', from: 'mcp: { stdio: [node, ./bank/server.ts] }',
    to: 'guarded: true', code: 'MESH_TOOL_RUNNER', at: 'bank:\n',
  },
  {
    name: 'a tool over plain HTTP', from: 'stdio: [node, ./mail/server.js]',
    to: 'http: "http://mail.example.test/mcp"', code: 'MESH_TOOL_URL_INSECURE',
    at: '"http://mail',
  },
  {
    name: 'a tool with a password in its address', from: 'stdio: [node, ./mail/server.js]',
    to: 'http: "https://u:p@mail.example.test"', code: 'MESH_TOOL_URL_INSECURE',
    at: '"https://u:p@',
  },
  {
    name: 'a tool that says it is guarded by nothing',
    from: 'mcp: { stdio: [node, ./mail/server.js] }',
    to: 'guarded: true\n      mcp: { http: "https://m" }', code: 'MESH_TOOL_GUARD_UNPROVEN',
    at: 'true\n',
  },
  {
    name: 'an unguarded tool behind a HIGH action', from: 'stdio: [node, ./bank/server.ts]',
    to: 'http: "https://bank.example.test"', code: 'MESH_TOOL_UNGUARDED', at: 'bank.transfer',
  },
  {
    name: 'an operator with a private key', from: 'x: "PLY', to: 'd: secret, x: "PLY',
    code: 'MESH_OPERATOR_PRIVATE_KEY', at: 'd: secret',
  },
  {
    name: 'an operator key of another curve', from: 'crv: Ed25519, x: "PLY',
    to: 'crv: X25519, x: "PLY', code: 'MESH_OPERATOR_KEY_INVALID', at: 'X25519',
  },
  {
    name: 'two operators with one key', from: 'PLYWMGQFOQ8IYDC1NmPbkGU6eMAVQyTkbbpwGWPkGBk',
    to: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', code: 'MESH_OPERATOR_KEY_SHARED',
    at: 'bob:',
  },
  {
    name: 'a pattern with a back-reference', from: 'project [a-z]+', to: '(a)\\\\1',
    code: 'MESH_PATTERN_INVALID', at: '"(a)',
  },
  {
    name: 'a deselected control without a reason', from: 'reason: no human-facing output, ',
    to: '', code: 'MESH_KEY_MISSING', at: '{ id: PG-1.5',
  },
  {
    name: 'a Cedar file without its last semicolon', from: 'context.domain == "billing" };',
    to: 'context.domain == "billing" }', file: '/mesh/policies/payments.cedar',
    code: 'MESH_POLICY_UNREADABLE', at: 'policies/payments.cedar',
  },
  {
    name: 'two Cedar policies of one id', from: '@id("no-foreign-domain")', to: '@id("pay")',
    file: '/mesh/policies/payments.cedar', code: 'MESH_POLICY_ID_DUPLICATE',
    at: 'policies/payments.cedar',
  },
  {
    name: 'a pin of a tool that does not exist', from: '"mail":{', to: '"post":{',
    file: '/mesh/security_mesh.pins.json', pointsInto: '/mesh/security_mesh.pins.json',
    code: 'MESH_PINS_INVALID', at: '"post"',
  },
  {
    name: 'a HIGH tool without pins', from: '"bank":{', to: '"x":{',
    file: '/mesh/security_mesh.pins.json', code: 'MESH_TOOL_UNPINNED', at: 'bank:\n',
  },
  {
    name: 'two domains of one name', from: '  zones:',
    to: '    - { name: billing, tier: PLAINTEXT, allowed_roles: [EXECUTOR] }\n  zones:',
    code: 'MESH_NAME_DUPLICATE',
    at: '{ name: billing, tier: PLAINTEXT, allowed_roles: [EXECUTOR] }',
  },
];

/** Line and column of a piece of text that stands in a text once. */
function place(text: string, needle: string): { line: number; column: number } {
  const index = text.lastIndexOf(needle);
  expect(index).toBeGreaterThan(-1);
  const before = text.slice(0, index);
  return { line: before.split('\n').length, column: index - before.lastIndexOf('\n') };
}

function diagnosticsOf(files: { readonly [path: string]: string }): readonly Diagnostic[] {
  return loadFiles(files).diagnostics;
}

describe('loadMesh', () => {
  it.each(mistakes)('reports $name where it stands', (mistake) => {
    const files = editSample(mistake.from, mistake.to, mistake.file);
    const into = mistake.pointsInto ?? sampleFile;
    const found = diagnosticsOf(files).filter((item) => item.code === mistake.code);
    const expected = {
      file: into,
      ...place(files[into] ?? '', mistake.at),
      code: mistake.code,
      severity: mistake.severity ?? 'error',
    };
    expect(found).toContainEqual(expect.objectContaining(expected));
    expect(loadFiles(files).ok).toBe(mistake.severity === 'warning');
  });

  it('reports every mistake at once, in order', () => {
    let text = sampleText.replace('role: RETRIEVER', 'role: READER');
    text = text.replace('reversibility: irreversible', 'reversibility: no');
    text = text.replace('from: desk', 'from: dsk');
    text = text.replace('schemas: [status/1]', 'schemas: [state/1]');
    const found = diagnosticsOf({ ...sampleFiles, [sampleFile]: text });
    expect(found.map((item) => item.code)).toEqual([
      'MESH_VALUE_INVALID', 'MESH_AGENT_UNKNOWN', 'MESH_SCHEMA_UNKNOWN', 'MESH_VALUE_INVALID',
    ]);
  });

  it('does not call what is broken unknown', () => {
    const files = editSample('role: RETRIEVER', 'role: READER');
    expect(diagnosticsOf(files).map((item) => item.code)).toEqual(['MESH_VALUE_INVALID']);
  });

  it('suggests the name that was meant', () => {
    const [unknown] = diagnosticsOf(editSample('autonomy_tier:', 'autonomy_teir:'));
    expect(unknown?.message).toContain('did you mean "autonomy_tier"?');
    const [role] = diagnosticsOf(editSample('role: EXECUTOR', 'role: EXECUTER'));
    expect(role?.message).toContain('did you mean "EXECUTOR"?');
  });

  it('never quotes a value, which may be a secret', () => {
    const secret = 'Hunter2!very_secret';
    const values = ['trust_domain: example.test', 'isolation: uid', 'mode: enforce'];
    for (const from of values) {
      const files = editSample(from, `${from.split(':')[0]}: ${secret}`);
      const shown = diagnosticsOf(files).map(formatDiagnostic).join('\n');
      expect(shown).not.toBe('');
      expect(shown).not.toContain(secret);
    }
  });

  it('refuses an alias bomb, deep nesting, other documents and non-maps without throwing', () => {
    const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [index, name] of [...'bcdefghij'].entries()) {
      lines.push(`${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[index]}`).join(',')}]`);
    }
    const hostile = [
      lines.join('\n'), '['.repeat(50_000), `${'{a: '.repeat(5000)}`, 'a: 1\n---\nb: 2\n', '', '[]',
      'text', 'security_mesh:', 'security_mesh: []', '\u0000', '? [a]\n: b',
      `x: "${'y'.repeat(1_100_000)}"`,
      'security_mesh: { agents: [] }', 'security_mesh: { agents: { a: null } }',
    ];
    for (const text of hostile) {
      const loaded = loadFiles({ [sampleFile]: text });
      expect(loaded.ok).toBe(false);
      expect(loaded.diagnostics.every((item) => item.line >= 1 && item.column >= 1)).toBe(true);
    }
  });

  it('treats a file that cannot be read as an error of the line that names it', () => {
    const edited = editSample('oispec/triage.yaml', 'oispec/locked.yaml');
    expect(diagnosticsOf(edited).map((item) => item.code)).toEqual(['MESH_FILE_MISSING']);
  });

  it('fills in every default', () => {
    const mesh = sampleMesh();
    expect(mesh.limits).toMatchObject({
      messageBytesMax: 262_144, depthMax: 32, messagesPerSecond: 500, messageBurst: 2000,
      messageLifetimeMs: 60_000, clockSkewMs: 30_000, pendingApprovalsMax: 3,
      approvalTimeoutMs: 900_000, queuedMessagesMax: 10_000,
    });
    expect(mesh.agents.get('triage')).toMatchObject({ clearance: 'internal', isolation: 'none' });
    const payments = mesh.agents.get('payments');
    expect(payments).toMatchObject({ clearance: 'confidential', isolation: 'uid' });
    const pay = mesh.actions.get('pay_invoice');
    expect(pay).toMatchObject({ write: true, approval: 'policy', timeoutMs: 10_000 });
    const bank = mesh.tools.get('bank');
    expect(bank?.runner).toMatchObject({ command: ['node', '/mesh/bank/server.ts'] });
    expect(bank?.operations.get('transfer')).toMatchObject({ write: true, idempotent: true });
    expect(bank?.pins?.files).toHaveProperty(['/mesh/bank/server.ts']);
    expect([...mesh.schemas.keys()]).toContain('action-request/1');
    const policies = ['pay', 'policies/payments.cedar#1', 'no-foreign-domain'];
    expect([...mesh.policies.keys()]).toEqual(policies);
  });

  it('lets the stricter credential age win', () => {
    const age = (extra: string): number | undefined => {
      const mesh = sampleMesh([['tier: PLAINTEXT,', `tier: PLAINTEXT, ${extra}`]]);
      return mesh.domains.get('billing')?.maxTokenAgeMs;
    };
    expect(age('')).toBe(600_000);
    expect(age('max_token_age_ms: 60000,')).toBe(60_000);
    expect(age('max_token_age_ms: 3000000,')).toBe(600_000);
  });

  it('changes its digest with any file that the mesh names', () => {
    const digestOf = (files: { readonly [path: string]: string }): string => {
      const loaded = loadFiles(files);
      return loaded.ok ? loaded.mesh.digest : '';
    };
    const digests = Object.keys(sampleFiles).map((path) =>
      digestOf({ ...sampleFiles, [path]: `${sampleFiles[path]}\n` }));
    const all = [digestOf(sampleFiles), ...digests];
    expect(all).not.toContain('');
    expect(new Set(all).size).toBe(all.length);
  });
});
