// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatorKey } from '../../src/identity/operator-key.ts';
import { operatorKey } from './attack-mesh.ts';
import type { MeshFolder } from './running-mesh.ts';

export type PacePeople = { readonly [name in 'alice' | 'bob' | 'carol' | 'dave']: OperatorKey };

/** One authority each; `dave` is a second incident commander. */
export function pacePeople(): PacePeople {
  return { alice: operatorKey(), bob: operatorKey(), carol: operatorKey(), dave: operatorKey() };
}

/** Private keys as files beside the mesh file, by name. */
export function writeKeys(folder: MeshFolder, people: PacePeople): void {
  for (const [name, { privateKey }] of Object.entries(people)) {
    const jwk = JSON.stringify(privateKey.export({ format: 'jwk' }));
    writeFileSync(join(folder.directory, `${name}.jwk`), jwk, { mode: 0o600 });
  }
}

/**
 * Readers that call a tool as fast as they like: `count` returns at once, `linger` takes 30 s unless
 * it is told to stop. Every call leaves its time in a file, as does its end.
 */
export function paceMesh(
  people: PacePeople,
  agents: readonly string[],
  pace = '',
  tier = 2,
): { readonly [file: string]: string } {
  const files: { [file: string]: string } = {
    'security_mesh.yaml': meshText(people, agents, pace, tier),
    'counter.mjs': counterModule,
  };
  for (const agent of agents) files[`oispec/${agent}.yaml`] = oispec(agent);
  return files;
}

const meshText = (
  people: PacePeople, agents: readonly string[], pace: string, tier: number,
): string => `security_mesh:
  global: { tls_min_version: "1.3", credential_rotation_interval_ms: 600000, autonomy_tier: ${tier}, development: true }
  limits: { messages_per_second: 10000, message_burst: 10000 }
  firewall: { model: none }
  defaults: { domain: work }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [RETRIEVER], classification: internal }
  zones: { core: { clearance: confidential }, outside: {} }
  agents:
${agents.map((agent, index) => `    ${agent}: { role: RETRIEVER, zone: ${index % 2 === 0 ? 'core' : 'outside'}, oispec: oispec/${agent}.yaml, tools: [counter] }`).join('\n')}
  edges: []
  tools:
    counter:
      function: ./counter.mjs
      operations: { count: { write: false }, linger: { write: false, timeout_ms: 30000 } }
  operators:
${Object.entries(people).map(([name, key]) => `    ${name}: ${JSON.stringify(key.publicJwk)}`).join('\n')}
  pace:
    authorities: { security: [alice], incident_commander: [bob, dave], risk_owner: [carol] }
${pace}`;

const oispec = (agent: string): string => `oisspec_version: "1.0"
oisspec_id: ${agent}-spec
agent_id: ${agent}
agent_role: task
created_by: dev@example.org
version: "1"
objective: { goal: count, success_criteria: [done] }
parameters: { permitted_tools: [counter], permitted_actions: [], data_scope: [work] }
authority: { can_delegate: false, max_delegation_depth: 0 }
risk_classification: LOW
`;

/** Times are of the wall clock, in milliseconds with a fraction: the test is on the same machine. */
const counterModule = `
import { appendFileSync } from 'node:fs';
const file = new URL('./calls.log', import.meta.url);
const now = () => performance.timeOrigin + performance.now();
const note = (what, given) => appendFileSync(file, what + ' ' + given.agent + ' ' + now().toFixed(1) + '\\n');
const input = {
  type: 'object', additionalProperties: false, required: ['agent'], properties: { agent: { type: 'string' } },
};
export const operations = {
  count: {
    description: 'Counts.', inputSchema: input,
    run: (given) => { note('count', given); return { ok: true }; },
  },
  linger: {
    description: 'Takes its time.', inputSchema: input,
    run: (given, { signal }) => new Promise((resolve, reject) => {
      note('begun', given);
      const timer = setTimeout(() => { note('ended', given); resolve({ ok: true }); }, 30000);
      signal.addEventListener('abort', () => { clearTimeout(timer); note('aborted', given); reject(new Error('aborted')); });
    }),
  },
};
`;
