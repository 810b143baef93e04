// SPDX-License-Identifier: Apache-2.0
import { dirname, join, relative } from 'node:path';
import { loadMesh, type LoadedMesh } from '../../src/mesh/load.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';

export const workflowFolder = '/mesh';

export type WorkflowMeshOptions = {
  readonly tier?: 1 | 2 | 3;
  readonly operators?: string;
  /** Pairs of what is replaced in the mesh file. */
  readonly changes?: readonly (readonly [from: string, to: string])[];
};

/**
 * A planner that may change the workflow `invoices`: it may let a clerk help, and stop sending work to
 * either. What it may not touch is the way to the money, which leads over a reviewer.
 */
export function workflowFiles(options: WorkflowMeshOptions = {}): { readonly [file: string]: string } {
  let text = `security_mesh:
  global: { tls_min_version: "1.3", autonomy_tier: ${options.tier ?? 2}, development: true }
  defaults: { domain: work, timeout_ms: 10000 }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, ANALYST, EXECUTOR] }
  zones: { core: { clearance: confidential } }
  agents:
    desk: { role: ORCHESTRATOR, zone: core, originator: true }
    planner:
      role: ORCHESTRATOR
      zone: core
      oispec: oispec/planner.yaml
      assigns: [triage, clerk, reviewer]
      may_change: [invoices]
    triage: { role: RETRIEVER, zone: core }
    clerk: { role: RETRIEVER, zone: core }
    reviewer: { role: ANALYST, zone: core }
    payments: { role: EXECUTOR, zone: core, oispec: oispec/payments.yaml, tools: [counter], isolation: uid }
    outsider: { role: RETRIEVER, zone: core }
  edges:
    - { from: desk, to: planner, schemas: [order/1] }
    - { from: planner, to: triage, schemas: [order/1], workflow: invoices, open: true }
    - { from: planner, to: clerk, schemas: [order/1], workflow: invoices, open: false } # when there is much to do
    - { from: triage, to: planner, schemas: [note/1] }
    - { from: clerk, to: planner, schemas: [note/1] }
    - { from: planner, to: reviewer, schemas: [order/1] }
    - { from: reviewer, to: payments, may_request: [count] }
    - { from: clerk, to: reviewer, schemas: [note/1], workflow: invoices, open: true }
  pace: { isolate_after: 1000 }
  workflows: { invoices: { agents: [planner, triage, clerk, reviewer, payments] }, payroll: { agents: [planner, clerk] } }
  schemas:
    order/1: { type: instruction, schema: { type: object, required: [text], properties: { text: { type: string } } } }
    note/1: { type: data, schema: { type: object, required: [text], properties: { text: { type: string } } } }
  actions:
    count:
      risk: LOW
      reversibility: reversible
      tool: counter.bump
      parameters: { type: object, additionalProperties: false, properties: { name: { enum: [a, b] } } }
      output: { type: object, additionalProperties: false, properties: { calls: { type: integer } } }
  tools:
    counter: { function: ./counter.mjs, results: { bump.calls: internal }, operations: { bump: { write: true } } }
${options.operators ?? ''}`;
  for (const [from, to] of options.changes ?? []) {
    if (!text.includes(from)) throw new Error(`Not in the mesh file: ${from}`);
    text = text.replace(from, to);
  }
  return {
    'security_mesh.yaml': text,
    'oispec/planner.yaml': oispec('planner', 'orchestrator', '[]'),
    'oispec/unable.yaml': oispec('planner', 'orchestrator', '[]').replace('can_modify_workflow: true', 'can_modify_workflow: false'),
    'oispec/payments.yaml': oispec('payments', 'task', '[count]'),
    'counter.mjs': counterModule,
  };
}

export function loadWorkflowMesh(options: WorkflowMeshOptions = {}): LoadedMesh {
  const files = workflowFiles(options);
  const file = join(workflowFolder, 'security_mesh.yaml');
  const read = (path: string): string | null => files[relative(dirname(file), path)] ?? null;
  return loadMesh(file, files['security_mesh.yaml'] ?? '', read);
}

export function workflowMesh(options: WorkflowMeshOptions = {}): Mesh {
  const loaded = loadWorkflowMesh(options);
  if (loaded.ok) return loaded.mesh;
  throw new Error(loaded.diagnostics.map(({ code, message, line }) => `${line} ${code} ${message}`).join('\n'));
}

const counterModule = `
let calls = 0;
export const operations = {
  bump: {
    description: 'Counts a call.',
    inputSchema: { type: 'object', properties: { name: { type: 'string' } } },
    run: () => ({ calls: (calls += 1) }),
  },
};
`;

const oispec = (agent: string, role: string, actions: string): string => `
oisspec_id: ${agent}
agent_id: ${agent}
agent_role: ${role}
created_by: test
version: "1"
objective: { goal: test }
parameters: { permitted_actions: ${actions}, permitted_tools: [counter], data_scope: [work] }
authority: { can_delegate: true, max_delegation_depth: 2, can_modify_workflow: true }
risk_classification: HIGH
`;
