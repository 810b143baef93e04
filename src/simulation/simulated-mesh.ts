// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import { loadMesh } from '../mesh/load.ts';
import type { Mesh } from '../mesh/mesh.ts';

/** Sums of the account, in the currency of nobody. */
export const perHourMax = 1_000;
export const atMost = 900;
export const verifiedPayees: readonly [string, ...string[]] = ['ACME', 'GLOBEX', 'INITECH'];
export const hostilePayees: readonly [string, ...string[]] = ['EVIL-CORP', 'MALLORY-LTD'];

const file = '/simulated/security_mesh.yaml';

const oispec = (agent: string, tools: string, actions: string): string => `oisspec_version: "1.0"
oisspec_id: ${agent}-spec
agent_id: ${agent}
agent_role: task
created_by: dev@example.org
version: "1"
objective: { goal: do the work of ${agent}, success_criteria: [done] }
parameters: { permitted_tools: [${tools}], permitted_actions: [${actions}], data_scope: [work] }
authority: { can_delegate: false, max_delegation_depth: 0 }
risk_classification: CRITICAL
`;

const payment = `
        type: object
        additionalProperties: false
        required: [invoice, payee, amount]
        properties:
          invoice: { type: string, pattern: "^[A-Za-z0-9-]{1,32}$" }
          payee: { type: string, pattern: "^[A-Z0-9][A-Z0-9-]{0,31}$", maxLength: 32 }
          amount: { type: number, exclusiveMinimum: 0 }`;

/** Every role once: a desk for a person, a reader of hostile notes, a planner, the executor with the bank. */
const meshText = (operators: { readonly [name: string]: JsonObject }): string => `security_mesh:
  trust_domain: simulated.example
  global: { tls_min_version: "1.3", credential_rotation_interval_ms: 3600000, autonomy_tier: 2, development: true }
  limits: { approval_timeout_ms: 20000, message_lifetime_ms: 30000, clock_skew_ms: 1000, messages_per_second: 200 }
  firewall: { model: none }
  defaults: { domain: work, timeout_ms: 5000 }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR], classification: internal }
    - { name: books, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER], classification: restricted }
  zones: { outside: {}, core: { clearance: confidential } }
  agents:
    desk: { role: ORCHESTRATOR, zone: core, originator: true }
    reader: { role: RETRIEVER, zone: outside, oispec: oispec/reader.yaml, tools: [notes], isolation: container }
    planner: { role: ORCHESTRATOR, zone: core, isolation: container }
    payments: { role: EXECUTOR, zone: core, oispec: oispec/payments.yaml, tools: [bank, counter], isolation: container }
    mallory: { role: RETRIEVER, zone: outside, isolation: container }
  edges:
    - { from: desk, to: planner, schemas: [order/1] }
    - { from: desk, to: planner, schemas: [note/1], domain: books }
    - { from: reader, to: planner, schemas: [note/1] }
    - { from: mallory, to: planner, schemas: [note/1] }
    - { from: planner, to: reader, schemas: [note/1] }
    - { from: planner, to: payments, may_request: [pay_invoice, refund, close_account, count] }
  actions:
    pay_invoice:
      risk: HIGH
      reversibility: irreversible
      tool: bank.transfer
      parameters: &payment${payment}
      output: &receipt
        type: object
        additionalProperties: false
        properties: { status: { enum: [paid] } }
      sensitive: &sources
        payee: { from: [prompt, bank.verified_payees.payees.*.name] }
        amount: { from: [prompt], at_most: ${atMost} }
      caps: { amount: { per_hour: ${perHourMax} } }
    refund:
      risk: HIGH
      reversibility: compensable
      tool: bank.transfer
      approval: required
      parameters: *payment
      output: *receipt
      sensitive: *sources
      caps: { amount: { per_hour: ${perHourMax} } }
    close_account:
      risk: CRITICAL
      reversibility: irreversible
      tool: counter.bump
      parameters: &bump
        type: object
        additionalProperties: false
        required: [name]
        properties: { name: { enum: [a, b, c] } }
      output: &number
        type: object
        additionalProperties: false
        properties: { calls: { type: integer } }
      sensitive: { name: { from: [prompt], one_of: [a, b, c] } }
    count: { risk: LOW, reversibility: reversible, tool: counter.bump, parameters: *bump, output: *number }
  tools:
    notes: { function: ./notes.mjs, operations: { read: { write: false } } }
    counter: { function: ./counter.mjs, results: { "bump.calls": internal }, operations: { bump: { write: true } } }
    bank:
      function: ./bank.mjs
      results: { verified_payees.payees.*.name: trusted, transfer.status: internal }
      operations: { transfer: { write: true, idempotent: true }, verified_payees: { write: false } }
  schemas:
    note/1:
      type: data
      schema: &text
        type: object
        required: [text]
        additionalProperties: false
        properties: { text: { type: string, maxLength: 2000 } }
    order/1:
      type: instruction
      schema:
        type: object
        required: [text]
        additionalProperties: false
        properties: { text: { type: string, maxLength: 2000 }, payee: { type: string }, amount: { type: number }, name: { enum: [a, b, c] } }
  pace:
    authorities: { security: [alice, bob], incident_commander: [alice, bob], risk_owner: [alice] }
  workflows: { paying: { agents: [planner, payments], pace: { supervised: planner } } }
  operators:
${Object.entries(operators).map(([name, jwk]) => `    ${name}: ${JSON.stringify(jwk)}`).join('\n')}
`;

/** The mesh of every simulation; throws where it is none, which would be a fault of this file. */
export function simulatedMesh(operators: { readonly [name: string]: JsonObject }): Mesh {
  const files: { readonly [path: string]: string } = {
    '/simulated/oispec/reader.yaml': oispec('reader', 'notes', ''),
    '/simulated/oispec/payments.yaml': oispec('payments', 'bank, counter', 'pay_invoice, refund, close_account, count'),
  };
  const loaded = loadMesh(file, meshText(operators), (path) => files[path] ?? null);
  if (loaded.ok) return loaded.mesh;
  throw new Error(`the simulated mesh: ${loaded.diagnostics.map(({ line, code }) => `${line} ${code}`).join(', ')}`);
}
