// SPDX-License-Identifier: Apache-2.0
import type { Agent, Edge, Mesh } from './mesh.ts';
import type { Problems } from './problems.ts';
import { isTemplate } from './spawn.ts';
import type { Path } from './yaml-source.ts';

/** True when the agent has the right to change this workflow, within what its edges leave open. */
export function mayChange(mesh: Mesh, agent: string, workflow: string): boolean {
  return mesh.agents.get(agent)?.mayChange?.includes(workflow) === true;
}

/** The mesh as it runs: edges that are closed carry nothing, and are kept apart. */
export function withoutClosed(mesh: Mesh): Mesh {
  if (mesh.edges.every(({ open }) => open !== false)) return mesh;
  return {
    ...mesh,
    edges: mesh.edges.filter(({ open }) => open !== false),
    closedEdges: mesh.edges.filter(({ open }) => open === false),
  };
}

/**
 * The right to change workflows (EC-2.x), and what it bears on. It is an orchestrator's, who holds no
 * tool; its edges join agents that take part in that workflow, open or closed, and all of them count
 * as open for every other check: what can be opened is proven before anybody opens it.
 */
export function changeProblems(problems: Problems): void {
  const { mesh, edgePaths } = problems.placed;
  for (const agent of mesh.agents.values()) rightProblems(problems, agent);
  for (const [index, edge] of mesh.edges.entries()) {
    const path = edgePaths[index] ?? ['security_mesh', 'edges'];
    if ((edge.workflow ?? null) === null && edge.open === undefined) continue;
    edgeProblems(problems, edge, path);
  }
}

function rightProblems(problems: Problems, agent: Agent): void {
  const { mesh } = problems.placed;
  const path: Path = ['security_mesh', 'agents', agent.name, 'may_change'];
  const names = agent.mayChange ?? [];
  if (names.length === 0) return;
  if (agent.role !== 'ORCHESTRATOR' || isTemplate(agent)) problems.at('MESH_CHANGE_ROLE', 'error', path);
  if (agent.oispec !== null && agent.oispec.canModifyWorkflow !== true) {
    problems.at('MESH_CHANGE_OISPEC', 'error', path);
  }
  for (const [index, workflow] of names.entries()) {
    if (participantsOf(mesh, workflow) === null) {
      problems.at('MESH_CHANGE_WORKFLOW', 'error', [...path, index]);
    } else if (!mesh.edges.some((edge) => edge.workflow === workflow)) {
      problems.at('MESH_CHANGE_IDLE', 'warning', [...path, index]);
    }
  }
}

function edgeProblems(problems: Problems, edge: Edge, path: Path): void {
  const { mesh } = problems.placed;
  const workflow = edge.workflow ?? null;
  if (workflow === null || edge.open === undefined) {
    problems.at('MESH_CHANGE_INCOMPLETE', 'error', path);
    return;
  }
  const agents = participantsOf(mesh, workflow);
  if (agents === null) {
    problems.at('MESH_CHANGE_WORKFLOW', 'error', [...path, 'workflow']);
    return;
  }
  const strangers = [edge.from, edge.to].filter((name) => !agents.has(name));
  if (strangers.length > 0) {
    problems.at('MESH_CHANGE_STRANGER', 'error', [...path, 'workflow'],
      `${strangers.join(' and ')} take no part in the workflow ${workflow}.`);
  }
  const around = mesh.agents.get(edge.to)?.role === 'EXECUTOR' ? goneAround(mesh, edge) : [];
  if (around.length > 0) {
    problems.at('MESH_CHANGE_SHORTCUT', 'warning', [...path, 'open'],
      `Open, it lets ${edge.from} reach ${edge.to} without ${around.join(', ')}.`);
  }
}

/** Who takes part; null where there is no such workflow. */
function participantsOf(mesh: Mesh, workflow: string): ReadonlySet<string> | null {
  const agents = mesh.pace?.workflows.get(workflow)?.agents;
  return agents === undefined ? null : new Set(agents);
}

/** Agents that stand right before the end of an edge on another way from its beginning. */
function goneAround(mesh: Mesh, edge: Edge): readonly string[] {
  const others = mesh.edges.filter((one) => one !== edge && !(one.from === edge.from && one.to === edge.to));
  const reached = new Set([edge.from]);
  for (const name of reached) {
    for (const { from, to } of others) if (from === name && to !== edge.to) reached.add(to);
  }
  const before = others.filter(({ from, to }) => to === edge.to && reached.has(from));
  return [...new Set(before.map(({ from }) => from))];
}
