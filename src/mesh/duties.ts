// SPDX-License-Identifier: Apache-2.0
import { edgesTo } from './edge-index.ts';
import type { Problems } from './problems.ts';
import type { ActionManifest, Agent, Mesh } from './mesh.ts';
import { proseGaps } from './prose.ts';
import type { Path } from './yaml-source.ts';

/** The actions that some edge lets others request of this agent. */
export function actionsOf(mesh: Mesh, agent: string): readonly ActionManifest[] {
  const names = new Set(edgesTo(mesh, agent).flatMap((edge) => edge.mayRequest));
  return [...names].flatMap((name) => mesh.actions.get(name) ?? []);
}

export function isPrivileged(action: ActionManifest): boolean {
  return action.risk === 'HIGH' || action.risk === 'CRITICAL';
}

/** True when some result field of the tool is declared to be chosen by third parties. */
export function readsThirdParties(mesh: Mesh, tool: string): boolean {
  const fields = mesh.tools.get(tool)?.results.values() ?? [];
  return [...fields].some((field) => field.integrity === 'untrusted');
}

/**
 * Separation of duties (seed 000 section 3, IA-2.5, ET-18): no single agent completes an attack
 * chain alone. Reading agents hold no privileged tool, executors read nothing but typed requests.
 */
export function dutyProblems(problems: Problems, isComplete: boolean): void {
  const { mesh, edgePaths } = problems.placed;
  for (const agent of mesh.agents.values()) {
    const path: Path = ['security_mesh', 'agents', agent.name];
    toolDuties(problems, agent, path, isComplete);
    if (agent.role === 'EXECUTOR') executorDuties(problems, agent, path);
    if (agent.oispec === null && isComplete && !agent.originator) {
      const severity = agent.role === 'EXECUTOR' ? 'error' : 'warning';
      problems.atKey('MESH_OISPEC_MISSING', severity, path);
    }
  }
  for (const [index, edge] of mesh.edges.entries()) {
    const path = edgePaths[index] ?? ['security_mesh', 'edges'];
    const to = mesh.agents.get(edge.to);
    if (to === undefined) continue;
    for (const [position, action] of edge.mayRequest.entries()) {
      if (to.role === 'EXECUTOR' || !mesh.actions.has(action)) continue;
      problems.at('MESH_DUTIES_NOT_EXECUTOR', 'error', [...path, 'may_request', position],
        `${action} is requested from ${to.name}, which is a ${to.role} and no EXECUTOR.`);
    }
    if (to.role === 'EXECUTOR') messageProse(problems, edge.schemas);
  }
}

function toolDuties(problems: Problems, agent: Agent, path: Path, isComplete: boolean): void {
  const { mesh } = problems.placed;
  const own = actionsOf(mesh, agent.name);
  const privilegedTools = new Set([...mesh.actions.values()].filter(isPrivileged)
    .map((action) => action.tool));
  for (const [index, tool] of agent.tools.entries()) {
    const at: Path = [...path, 'tools', index];
    if (agent.originator) problems.at('MESH_DUTIES_ORIGINATOR_TOOL', 'error', at);
    else if (agent.role === 'ORCHESTRATOR') {
      problems.at('MESH_DUTIES_ORCHESTRATOR_TOOL', 'error', at);
    } else if (agent.role !== 'EXECUTOR' && privilegedTools.has(tool)) {
      problems.at('MESH_DUTIES_PRIVILEGED_READER', 'error', at,
        `${agent.name} reads, and ${tool} serves a HIGH or CRITICAL action.`);
    } else if (agent.role === 'EXECUTOR' && isComplete && !own.some((one) => one.tool === tool)) {
      problems.at('MESH_DUTIES_EXECUTOR_TOOL', 'error', at);
    }
    if (own.some(isPrivileged) && readsThirdParties(mesh, tool)) {
      problems.at('MESH_DUTIES_READS_AND_EXECUTES', 'error', at,
        `${agent.name} executes HIGH or CRITICAL actions, and ${tool} returns third-party data.`);
    }
  }
}

function executorDuties(problems: Problems, agent: Agent, path: Path): void {
  const { mesh } = problems.placed;
  if (agent.isolation === 'none') {
    const severity = mesh.development === true ? 'warning' : 'error';
    problems.at('MESH_ISOLATION_NONE', severity, [...path, 'isolation']);
  }
  for (const action of actionsOf(mesh, agent.name)) {
    if (mesh.tools.has(action.tool) && !agent.tools.includes(action.tool)) {
      problems.atKey('MESH_DUTIES_TOOL_MISSING', 'error', path,
        `${agent.name} is asked for ${action.name} and does not hold the tool ${action.tool}.`);
    }
    oispecDuties(problems, agent, action, path);
  }
}

/** Not an error: the compliance check refuses it at run time. It is a mistake all the same. */
function oispecDuties(problems: Problems, agent: Agent, action: ActionManifest, path: Path): void {
  const { oispec } = agent;
  if (oispec === null) return;
  const tools = oispec.permittedTools;
  const permitsTool = tools.includes(action.tool) ||
    tools.includes(`${action.tool}.${action.operation}`);
  const permitsAction = oispec.permittedActions.includes(action.name) &&
    !oispec.prohibitedActions.includes(action.name);
  if (permitsTool && permitsAction) return;
  problems.at('MESH_OISPEC_DENIES', 'warning', [...path, 'oispec'],
    `The OISpec of ${agent.name} does not permit ${permitsTool ? action.name : action.tool}.`);
}

/** G3 for messages: what an edge carries to an executor holds no text that could be language. */
function messageProse(problems: Problems, schemaIds: readonly string[]): void {
  for (const id of schemaIds) {
    const message = problems.placed.mesh.schemas.get(id);
    if (message === undefined) continue;
    for (const { path, reason } of proseGaps(message.schema)) {
      problems.inSchema('MESH_EXECUTOR_PROSE', message.schema, path,
        `The message ${id} goes to an executor: ${reason}.`);
    }
  }
}
