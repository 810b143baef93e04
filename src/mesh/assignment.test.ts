// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadMesh } from './load.ts';
import { mayAssign } from './assignment.ts';
import { changesBetween } from './change.ts';

const text = (planner = '', lead = '', more = ''): string => `security_mesh:
  global: { tls_min_version: "1.3", autonomy_tier: 2, development: true }
  defaults: { domain: work }
  domains: [ { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER] } ]
  agents:
    desk: { role: ORCHESTRATOR, originator: true }
    planner: { role: ORCHESTRATOR ${planner} }
    clerk: { role: RETRIEVER }
    lead: { role: ORCHESTRATOR ${lead} }
    helper: { role: RETRIEVER, template: { instances_max: 2 } }
  edges:
    - { from: desk, to: planner, schemas: [order/1] }
    - { from: planner, to: clerk, schemas: [order/1, note/1] }
    - { from: planner, to: helper, schemas: [order/1] }
    - { from: clerk, to: planner, schemas: [note/1] }
${more}
  schemas:
    order/1: { type: instruction, schema: { type: object, required: [n], properties: { n: { enum: [1] } } } }
    note/1: { type: data, schema: { type: object, required: [n], properties: { n: { enum: [1] } } } }
`;

function load(...parts: Parameters<typeof text>) {
  const loaded = loadMesh('/mesh/security_mesh.yaml', text(...parts), () => null);
  const codes = loaded.diagnostics.map(({ code }) => code);
  return { mesh: loaded.ok ? loaded.mesh : null, codes };
}

describe('the right to assign work', () => {
  it('is nobody\'s by an edge alone, and the edge is named', () => {
    const { mesh, codes } = load();
    if (mesh === null) throw new Error(codes.join());
    expect(codes.filter((code) => code === 'MESH_ASSIGN_MISSING')).toHaveLength(2);
    expect(mayAssign(mesh, 'planner', 'clerk')).toBe(false);
    expect(mayAssign(mesh, 'stranger', 'clerk')).toBe(false);
    expect(mayAssign(mesh, 'desk', 'planner')).toBe(true);
  });

  it('is whose it is, for whom it names, spawned ones included', () => {
    const { mesh, codes } = load(', assigns: [clerk, helper]');
    if (mesh === null) throw new Error(codes.join());
    expect(codes).not.toContain('MESH_ASSIGN_MISSING');
    expect(mayAssign(mesh, 'planner', 'clerk')).toBe(true);
    expect(mayAssign(mesh, 'planner', 'helper-2')).toBe(true);
    expect(mayAssign(mesh, 'planner', 'helper-3')).toBe(false);
    expect(mayAssign(mesh, 'planner', 'desk')).toBe(false);
    expect(mayAssign(mesh, 'clerk', 'planner')).toBe(false);
  });

  it('names agents, and says where nothing can be assigned', () => {
    expect(load(', assigns: [nobody]').codes).toContain('MESH_AGENT_UNKNOWN');
    expect(load(', assigns: [desk]').codes).toContain('MESH_ASSIGN_IDLE');
  });

  it('is not wider in a template than in whoever may spawn it', () => {
    const template = ', template: { instances_max: 1 }';
    const edges = '    - { from: lead, to: clerk, schemas: [order/1] }';
    const spawn = ', spawn: { templates: [lead] }';
    expect(load(spawn, `${template}, assigns: [clerk]`, edges).codes).toContain('MESH_SPAWN_WIDER');
    const held = `${spawn}, assigns: [clerk]`;
    expect(load(held, `${template}, assigns: [clerk]`, edges).codes).not.toContain('MESH_SPAWN_WIDER');
  });

  it('widens what is allowed when it is given, and narrows it when it is taken', () => {
    const [without, having] = [load().mesh, load(', assigns: [clerk]').mesh];
    if (without === null || having === null) throw new Error('mesh');
    expect(changesBetween(without, having)).toMatchObject([{ name: 'planner', effect: 'widens', needsRestart: false }]);
    expect(changesBetween(having, without)).toMatchObject([{ name: 'planner', effect: 'narrows' }]);
  });
});
