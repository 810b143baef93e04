// SPDX-License-Identifier: Apache-2.0
import { loadMesh, type LoadedMesh } from '../../src/mesh/load.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';

export const sampleFile = '/mesh/security_mesh.yaml';

/** A mesh without errors or warnings; tests break one thing of it at a time. */
export const sampleText = `security_mesh:
  trust_domain: example.test
  global: { tls_min_version: "1.3", credential_rotation_interval_ms: 600000, autonomy_tier: 2 }
  defaults: { domain: billing, timeout_ms: 10000 }
  domains:
    - { name: billing, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR] }
  zones: { outside: {}, core: { clearance: confidential } }
  agents:
    desk: { role: ORCHESTRATOR, zone: core, originator: true }
    triage: { role: RETRIEVER, zone: outside, oispec: oispec/triage.yaml, tools: [mail] }
    payments:
      role: EXECUTOR
      zone: core
      oispec: oispec/payments.yaml
      tools: [bank]
      isolation: uid
  edges:
    - { from: desk, to: triage, schemas: [invoice/1] }
    - { from: triage, to: payments, schemas: [status/1], may_request: [pay_invoice, check_payment] }
  actions:
    pay_invoice:
      risk: HIGH
      reversibility: irreversible
      tool: bank.transfer
      parameters: schemas/pay_invoice.json
      output: schemas/receipt.json
      sensitive:
        payee: { from: [prompt, bank.verified_payees.payees.*.name] }
        amount: { from: [prompt], at_most: 5000 }
      caps: { amount: { per_hour: 8000 } }
    check_payment:
      risk: LOW
      reversibility: reversible
      write: false
      tool: bank.status
      parameters:
        type: object
        additionalProperties: false
        required: [invoice]
        properties: { invoice: { type: string, pattern: "^[0-9]{1,12}$" } }
      output: schemas/receipt.json
  tools:
    mail:
      mcp: { stdio: [node, ./mail/server.js] }
      results: { content: untrusted }
      operations: { read_file: { write: false } }
    bank:
      mcp: { stdio: [node, ./bank/server.ts] }
      results: { verified_payees.payees.*.name: trusted }
      operations:
        verified_payees: { write: false }
        status: { write: false }
        transfer: { idempotent: true }
  schemas:
    invoice/1:
      type: data
      schema: { type: object, additionalProperties: false, properties: { text: { type: string } } }
    status/1:
      type: data
      schema:
        type: object
        additionalProperties: false
        properties: { state: { enum: [open, paid] } }
  operators:
    alice: { kty: OKP, crv: Ed25519, x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
    bob: { kty: OKP, crv: Ed25519, x: "PLYWMGQFOQ8IYDC1NmPbkGU6eMAVQyTkbbpwGWPkGBk" }
  controls:
    deselected: [ { id: PG-1.5, reason: no human-facing output, by: security@example.org } ]
  patterns: [ { id: project-name, pattern: "project [a-z]+", outcome: ESCALATE } ]
  policies: [policies/payments.cedar]
  limits: { messages_per_second: 500 }
  mode: enforce
`;

const oispec = (agent: string, tools: string, actions: string): string => `oisspec_version: "1.0"
oisspec_id: ${agent}-spec
agent_id: ${agent}
agent_role: task
created_by: dev@example.org
version: "3"
objective: { goal: do the work of ${agent}, success_criteria: [done] }
parameters: { permitted_tools: [${tools}], permitted_actions: [${actions}], data_scope: [billing] }
authority: { can_delegate: false, max_delegation_depth: 0 }
risk_classification: HIGH
`;

const hash = 'A'.repeat(43);

export const sampleFiles: { readonly [path: string]: string } = {
  [sampleFile]: sampleText,
  '/mesh/security_mesh.pins.json': JSON.stringify({
    tools: {
      mail: { files: { 'mail/server.js': hash }, operations: { read_file: hash } },
      bank: { files: { 'bank/server.ts': hash }, operations: { transfer: hash } },
    },
  }),
  '/mesh/oispec/triage.yaml': oispec('triage', 'mail', ''),
  '/mesh/oispec/payments.yaml': oispec('payments', 'bank', 'pay_invoice, check_payment'),
  '/mesh/schemas/pay_invoice.json': `{
  "type": "object",
  "additionalProperties": false,
  "required": ["invoice", "payee", "amount"],
  "properties": {
    "invoice": { "type": "string", "pattern": "^[0-9]{1,12}$" },
    "payee": { "type": "string", "pattern": "^[A-Za-z0-9-]+$", "maxLength": 32 },
    "amount": { "type": "number", "exclusiveMinimum": 0 }
  }
}
`,
  '/mesh/schemas/receipt.json': `{
  "type": "object",
  "additionalProperties": false,
  "properties": { "reference": { "type": "string", "format": "uuid" } }
}
`,
  '/mesh/policies/payments.cedar': `// Payments by day.
@id("pay")
permit(principal == Agent::"payments", action == Action::"pay_invoice", resource == Tool::"bank")
when { context.amount.lessThanOrEqual(decimal("4000.0")) && context.requester.zone == "outside" };

permit(principal, action == Action::"check_payment", resource);

@id("no-foreign-domain")
forbid(principal, action, resource) unless { context.domain == "billing" };
`,
};

/** Loads a set of files that exist only in memory. */
export function loadFiles(files: { readonly [path: string]: string }): LoadedMesh {
  return loadMesh(sampleFile, files[sampleFile] ?? '', (path) => files[path] ?? null);
}

/** The sample with one piece of one file replaced; the piece must be there exactly once. */
export function editSample(
  from: string,
  to: string,
  file: string = sampleFile,
): { [path: string]: string } {
  const text = sampleFiles[file] ?? '';
  if (text.split(from).length !== 2) throw new Error(`not exactly once in ${file}: ${from}`);
  return { ...sampleFiles, [file]: text.replace(from, () => to) };
}

export function sampleMesh(
  edits: readonly (readonly [string, string])[] = [],
  more: { readonly [path: string]: string } = {},
): Mesh {
  let text = sampleText;
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`not in the sample: ${from}`);
    text = text.replace(from, () => to);
  }
  const loaded = loadFiles({ ...sampleFiles, ...more, [sampleFile]: text });
  if (loaded.ok) return loaded.mesh;
  throw new Error(loaded.diagnostics.map((item) => `${item.line}: ${item.code}`).join(', '));
}
