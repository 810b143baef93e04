// SPDX-License-Identifier: Apache-2.0
import type { People } from './attack-mesh.ts';

/**
 * Two originators, a planner that may pass work on, a clerk that may ask by itself, an intern that
 * may write to everybody and ask for nothing, and an executor that counts.
 */
export function mandateMesh(people: People): { readonly [file: string]: string } {
  return {
    'security_mesh.yaml': meshText(people),
    'counter.mjs': counterModule,
    'oispec/planner.yaml': oispec('planner', '', true, 1),
    'oispec/clerk.yaml': oispec('clerk', '', false, 0),
    'oispec/payments.yaml': oispec('payments', 'count, erase, weigh', false, 0),
  };
}

const meshText = (people: People): string => `security_mesh:
  global: { tls_min_version: "1.3", development: true, autonomy_tier: 2 }
  limits: { approval_timeout_ms: 20000, message_lifetime_ms: 20000 }
  defaults: { domain: work, timeout_ms: 10000 }
  # Its attackers go on after their first sign: each guard has to stop them by itself.
  pace: { isolate_after: 1000 }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR] }
  zones: { core: { clearance: confidential } }
  agents:
    desk: { role: ORCHESTRATOR, zone: core, originator: true, sponsor: alice@example.org }
    annex: { role: ORCHESTRATOR, zone: core, originator: true }
    planner: { role: ORCHESTRATOR, zone: core, oispec: oispec/planner.yaml, assigns: [clerk] }
    clerk: { role: ORCHESTRATOR, zone: core, oispec: oispec/clerk.yaml, assigns: [planner] }
    intern: { role: ORCHESTRATOR, zone: core, assigns: [planner, desk] }
    payments:
      { role: EXECUTOR, zone: core, oispec: oispec/payments.yaml, tools: [counter], isolation: uid }
  edges:
    - { from: desk, to: planner, schemas: [order/1] }
    - { from: desk, to: clerk, schemas: [order/1] }
    - { from: desk, to: payments, may_request: [count] }
    - { from: annex, to: planner, schemas: [order/1] }
    - { from: annex, to: intern, schemas: [order/1] }
    - { from: intern, to: planner, schemas: [order/1, note/1] }
    - { from: intern, to: desk, schemas: [order/1] }
    - { from: planner, to: clerk, schemas: [order/1] }
    - { from: clerk, to: planner, schemas: [order/1] }
    - { from: planner, to: payments, may_request: [count, erase, weigh] }
    - { from: clerk, to: payments, may_request: [count, erase] }
  schemas:
    order/1:
      type: instruction
      schema: { type: object, required: [text], properties: { text: { type: string } } }
    note/1:
      type: data
      schema: { type: object, required: [text], properties: { text: { type: string } } }
  actions:
    count:
      risk: LOW
      reversibility: reversible
      tool: counter.bump
      parameters: &name
        type: object
        additionalProperties: false
        required: [name]
        properties: { name: { enum: [a, b, c] } }
      output: &calls
        type: object
        additionalProperties: false
        properties: { calls: { type: integer } }
    weigh:
      risk: LOW
      reversibility: reversible
      tool: counter.bump
      output: *calls
      parameters:
        type: object
        additionalProperties: false
        required: [name, grams]
        properties: { name: { enum: [a, b, c] }, grams: { type: number } }
    erase:
      risk: HIGH
      reversibility: compensable
      approval: required
      tool: counter.bump
      parameters: *name
      output: *calls
      sensitive: { name: { one_of: [a, b, c] } }
  tools:
    counter:
      function: ./counter.mjs
      results: { "bump.calls": internal }
      operations: { bump: { write: true } }
  operators:
    alice: ${JSON.stringify(people.alice.publicJwk)}
    bob: ${JSON.stringify(people.bob.publicJwk)}
`;

const oispec = (
  agent: string,
  actions: string,
  canDelegate: boolean,
  depth: number,
): string => `oisspec_version: "1.0"
oisspec_id: ${agent}-spec
agent_id: ${agent}
agent_role: ${agent === 'payments' ? 'task' : 'orchestrator'}
created_by: dev@example.org
version: "1"
objective: { goal: do the work of ${agent} }
parameters: { permitted_tools: [${agent === 'payments' ? 'counter' : ''}], permitted_actions: [${actions}], data_scope: [work] }
authority: { can_delegate: ${canDelegate}, max_delegation_depth: ${depth} }
risk_classification: CRITICAL
`;

const counterModule = `
import { appendFileSync, readFileSync } from 'node:fs';
const file = new URL('./calls.log', import.meta.url);
export const operations = {
  bump: {
    description: 'Counts a call.',
    inputSchema: { type: 'object', properties: { name: { type: 'string' } } },
    run: (_given, call) => {
      appendFileSync(file, call.idempotencyKey + '\\n');
      return { calls: readFileSync(file, 'utf8').split('\\n').length - 1 };
    },
  },
};
`;
