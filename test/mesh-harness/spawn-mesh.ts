// SPDX-License-Identifier: Apache-2.0
import { attackMesh, type People } from './attack-mesh.ts';

/**
 * The attack mesh with a planner that may spawn: helpers that read notes and may count, leads that may
 * spawn helpers themselves, and workers with a process of their own.
 */
export function spawnMesh(people: People, global = ''): { readonly [file: string]: string } {
  const files = attackMesh(people);
  let text = files['security_mesh.yaml'] ?? '';
  const replace = (from: string, to: string): void => {
    if (!text.includes(from)) throw new Error(`Not in the mesh file: ${from}`);
    text = text.replace(from, to);
  };
  replace('planner: { role: ORCHESTRATOR, zone: core }', `planner:
      role: ORCHESTRATOR
      zone: core
      sponsor: alice@example.org
      assigns: [helper, lead, worker]
      spawn: { templates: [helper, lead, worker], children_max: 3, depth_max: 2, tools: [notes] }
    helper:
      role: RETRIEVER
      zone: core
      tools: [notes]
      oispec: oispec/helper.yaml
      template: { instances_max: 3, lifetime_ms: 60000 }
    lead:
      role: ORCHESTRATOR
      zone: core
      assigns: [helper]
      spawn: { templates: [helper], children_max: 2, depth_max: 1, tools: [notes] }
      template: { instances_max: 1, lifetime_ms: 60000 }
    worker:
      role: ANALYST
      zone: outside
      template: { instances_max: 1, lifetime_ms: 60000 }
      command: [node, ./worker.mjs, ./pids/worker]`);
  replace('allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR]',
    'allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR, ANALYST]');
  replace('    - from: planner\n', `    - { from: planner, to: helper, schemas: [order/1] }
    - { from: helper, to: planner, schemas: [note/1] }
    - { from: helper, to: payments, may_request: [count] }
    - { from: planner, to: lead, schemas: [order/1] }
    - { from: lead, to: planner, schemas: [note/1] }
    - { from: lead, to: helper, schemas: [order/1] }
    - { from: planner, to: worker, schemas: [order/1] }
    - { from: worker, to: planner, schemas: [note/1] }
    - from: planner
`);
  if (global !== '') replace('    credential_rotation_interval_ms: 600000', global);
  const oispec = (files['oispec/reader.yaml'] ?? '').replaceAll('reader', 'helper');
  return {
    ...files, 'oispec/helper.yaml': oispec, 'security_mesh.yaml': text, 
    'worker.mjs': workerProgram, 'pids/worker': '',
  };
}

/** Says that it runs, and stays until it is ended. */
const workerProgram = `
import { appendFileSync } from 'node:fs';
appendFileSync(process.argv[2], process.pid + '\\n');
process.on('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 1000);
`;
