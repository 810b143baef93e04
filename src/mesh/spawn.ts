// SPDX-License-Identifier: Apache-2.0
import { flowsTo } from '../label/label.ts';
import type { Agent, AgentTemplate, Edge, Mesh, SpawnRight } from './mesh.ts';
import type { EntryOf } from './mesh-file.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';

const nameLengthMax = 63;

export function spawnRightOf(value: EntryOf<'agents'>): SpawnRight | null {
  if (value.spawn === undefined) return null;
  const { templates, children_max, depth_max, tools, approval } = value.spawn;
  return { templates, childrenMax: children_max, depthMax: depth_max, tools, approval };
}

export function templateOf(value: EntryOf<'agents'>): AgentTemplate | null {
  if (value.template === undefined) return null;
  return { instancesMax: value.template.instances_max, lifetimeMs: value.template.lifetime_ms };
}

/** Names under which agents of this template run: one for each that may run at once. */
export function childNames(template: Agent): readonly string[] {
  const count = template.template?.instancesMax ?? 0;
  return Array.from({ length: count }, (_, index) => `${template.name}-${index + 1}`);
}

/**
 * The mesh with a place for every agent that may be spawned, each with the rights of its template.
 * All of them are known when the mesh loads: what holds for a template holds for them, and a running
 * mesh never changes. Edges of the file keep their index.
 */
export function withChildren(mesh: Mesh): Mesh {
  const templates = [...mesh.agents.values()].filter(isTemplate);
  if (templates.length === 0) return mesh;
  const agents = new Map(mesh.agents);
  const edges: Edge[] = [...mesh.edges];
  for (const template of templates) {
    for (const name of childNames(template)) {
      const oispec = template.oispec === null ? null : { ...template.oispec, agent: name };
      agents.set(name, { ...template, name, oispec, template: null, fromTemplate: template.name });
    }
  }
  const namesOf = (agent: string): readonly string[] => {
    const declared = mesh.agents.get(agent);
    return declared !== undefined && isTemplate(declared) ? childNames(declared) : [agent];
  };
  for (const edge of mesh.edges) {
    const pairs = namesOf(edge.from).flatMap((from) => namesOf(edge.to).map((to) => ({ from, to })));
    for (const { from, to } of pairs) {
      if (from !== edge.from || to !== edge.to) edges.push({ ...edge, from, to });
    }
  }
  return { ...mesh, agents, edges };
}

export function isTemplate(agent: Agent): boolean {
  return (agent.template ?? null) !== null;
}

/** True for who runs because the mesh file says so, and not because somebody spawned it. */
export function isResident(agent: Agent): boolean {
  return !isTemplate(agent) && (agent.fromTemplate ?? null) === null;
}

/**
 * The right to spawn (EC-2.x: creating agents, assigning work and changing workflows are rights of
 * their own). A template that is wider than somebody who may spawn it is refused here; tools,
 * requests and clearance are cut down to the parent's when it is spawned.
 */
export function spawnProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  for (const agent of mesh.agents.values()) {
    const path: Path = ['security_mesh', 'agents', agent.name];
    if (isTemplate(agent)) templateProblems(problems, agent, path);
    const right = agent.spawn ?? null;
    if (right === null) continue;
    if (agent.oispec !== null && !agent.oispec.canCreateAgents) {
      problems.at('MESH_SPAWN_OISPEC', 'error', [...path, 'spawn']);
    }
    for (const [index, name] of right.templates.entries()) {
      const at: Path = [...path, 'spawn', 'templates', index];
      const template = mesh.agents.get(name);
      if (template === undefined || !isTemplate(template)) {
        problems.at('MESH_TEMPLATE_UNKNOWN', 'error', at);
      } else widthProblems(problems, agent, template, at);
    }
    for (const [index, tool] of right.tools.entries()) {
      if (mesh.tools.has(tool)) continue;
      problems.at('MESH_TOOL_UNKNOWN', 'error', [...path, 'spawn', 'tools', index]);
    }
  }
}

function templateProblems(problems: Problems, template: Agent, path: Path): void {
  const { mesh } = problems.placed;
  const invalid = (message: string): void =>
    problems.at('MESH_TEMPLATE_INVALID', 'error', [...path, 'template'], message);
  if (template.originator) invalid('A spawned agent relays no person: it cannot be an originator.');
  if (template.isolation === 'container') {
    invalid('The mesh starts spawned agents itself, and no containers.');
  }
  for (const name of childNames(template)) {
    if (name.length > nameLengthMax) invalid(`The name ${name} would be too long.`);
    if (mesh.agents.has(name)) invalid(`${name} is the name of an agent of its own.`);
  }
}

function widthProblems(problems: Problems, parent: Agent, template: Agent, at: Path): void {
  const { mesh } = problems.placed;
  const wider = (what: string): void =>
    problems.at('MESH_SPAWN_WIDER', 'error', at,
      `${template.name}, which ${parent.name} may spawn, ${what}.`);
  const executes = template.role === 'EXECUTOR' && parent.role !== 'EXECUTOR';
  const routes = template.role === 'ORCHESTRATOR' && parent.role !== 'ORCHESTRATOR';
  if (executes || routes) wider(`is an ${template.role} and its parent is none`);
  const assigned = parent.originator ? [] : (template.assigns ?? [])
    .filter((name) => name !== parent.name && parent.assigns?.includes(name) !== true);
  if (assigned.length > 0) wider(`may assign work to ${assigned.join(', ')}, and its parent may not`);
  for (const edge of mesh.edges.filter(({ from }) => from === template.name)) {
    if (edge.to === parent.name || edge.schemas.length === 0) continue;
    const held = mesh.edges.filter((own) => isSameWay(own, edge, parent.name))
      .flatMap((own) => own.schemas);
    const more = edge.schemas.filter((schema) => !held.includes(schema));
    if (more.length > 0) wider(`may send ${more.join(', ')} to ${edge.to}, and its parent may not`);
  }
}

/** True when the parent has an edge to where the template's edge leads. */
export function isSameWay(own: Edge, edge: Edge, parent: string): boolean {
  return own.from === parent && own.to === edge.to && own.domain === edge.domain;
}

/** The lower of two clearances. */
export function lowerClearance<Level extends Agent['clearance']>(one: Level, other: Level): Level {
  return flowsTo(one, other) ? one : other;
}
