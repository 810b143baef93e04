// SPDX-License-Identifier: Apache-2.0
import { actionRequestSchema } from '../message/action-request.ts';
import type { MessageType } from '../message/envelope.ts';
import type { Agent, Edge, Mesh } from './mesh.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';

/**
 * The right to assign work: whom an agent may instruct (EC-2.x: creating agents, assigning work and
 * changing workflows are rights of their own). An edge says what may travel; this says who may give
 * orders along it. Originators relay a person, and need no further right. Whom an action may be
 * requested of is a right of its own, `may_request`. A template stands for all that is spawned from it.
 */
export function mayAssign(mesh: Mesh, from: string, to: string): boolean {
  const agent = mesh.agents.get(from);
  if (agent === undefined) return false;
  if (agent.originator) return true;
  const assigns = agent.assigns ?? [];
  const template = mesh.agents.get(to)?.fromTemplate ?? null;
  return assigns.includes(to) || (template !== null && assigns.includes(template));
}

/** True for a message that hands over work in words; requests for actions are judged by their edge. */
export function isAssignment(message: { readonly type: MessageType; readonly schema: string }): boolean {
  return message.type === 'instruction' && message.schema !== actionRequestSchema;
}

/** True when an edge may carry orders; whether its sender may give them is `mayAssign`'s to say. */
export function carriesInstructions(mesh: Mesh, edge: Edge): boolean {
  return edge.schemas.some((id) => mesh.schemas.get(id)?.type === 'instruction');
}

export function assignmentProblems(problems: Problems): void {
  const { mesh, edgePaths } = problems.placed;
  for (const agent of mesh.agents.values()) rightProblems(problems, agent);
  for (const [index, edge] of mesh.edges.entries()) {
    if (!carriesInstructions(mesh, edge) || mayAssign(mesh, edge.from, edge.to)) continue;
    problems.at('MESH_ASSIGN_MISSING', 'warning', edgePaths[index] ?? ['security_mesh', 'edges'],
      `The edge carries instructions, and ${edge.from} has no right to assign work to ${edge.to}.`);
  }
}

function rightProblems(problems: Problems, agent: Agent): void {
  const { mesh } = problems.placed;
  for (const [index, name] of (agent.assigns ?? []).entries()) {
    const path: Path = ['security_mesh', 'agents', agent.name, 'assigns', index];
    const reached = mesh.edges.some((edge) =>
      edge.from === agent.name && edge.to === name && carriesInstructions(mesh, edge));
    if (mesh.agents.get(name) === undefined) problems.at('MESH_AGENT_UNKNOWN', 'error', path);
    else if (!reached) problems.at('MESH_ASSIGN_IDLE', 'warning', path);
  }
}
