// SPDX-License-Identifier: Apache-2.0
import { actionProblems } from './action-invariants.ts';
import { assignmentProblems } from './assignment.ts';
import { boundProblems } from './bound-invariants.ts';
import type { Diagnostic } from './diagnostic.ts';
import { dutyProblems } from './duties.ts';
import { dutyPathProblems } from './duty-proof-text.ts';
import type { ActionManifest, Domain, Edge, Mesh } from './mesh.ts';
import { hasRight } from './operator-roles.ts';
import { familyProblems } from './model-families.ts';
import { isTierProvided, tierAdvice } from './tier-advice.ts';
import { Problems, type Placed } from './problems.ts';
import { spawnProblems } from './spawn.ts';
import { standbyProblems } from './standby-invariants.ts';
import { changeProblems } from './workflow-rights.ts';
import { workflowProblems } from './workflow-invariants.ts';
import type { Path } from './yaml-source.ts';

/**
 * What a mesh must hold before it may start, beyond the shape of its file: separation of duties
 * (seed 000 section 3), isolation, G2, G3, G5 and G6 as far as they can be seen without running it.
 * `isComplete` is false when parts of the file were already refused; what is only missing then is
 * not reported again.
 */
export function checkInvariants(placed: Placed, isComplete: boolean): readonly Diagnostic[] {
  const problems = new Problems(placed);
  modeProblems(problems);
  for (const domain of placed.mesh.domains.values()) domainProblems(problems, domain);
  edgeProblems(problems);
  dutyProblems(problems, isComplete);
  if (isComplete) spawnProblems(problems);
  if (isComplete) assignmentProblems(problems);
  if (isComplete) changeProblems(problems);
  dutyPathProblems(problems);
  actionProblems(problems, isComplete);
  if (isComplete) boundProblems(problems);
  if (isComplete) operatorProblems(problems);
  if (isComplete) workflowProblems(problems);
  if (isComplete) standbyProblems(problems);
  if (isComplete) familyProblems(problems);
  return problems.found;
}

function modeProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  if (mesh.mode === 'observe') {
    problems.at('MESH_OBSERVE', 'warning', ['security_mesh', 'mode']);
  }
  if (mesh.development === true) {
    problems.at('MESH_DEVELOPMENT', 'warning', ['security_mesh', 'global', 'development']);
  }
}

function domainProblems(problems: Problems, domain: Domain): void {
  const path = problems.placed.domainPath(domain.name);
  if (!isTierProvided(domain.tier)) {
    problems.at('MESH_TIER_UNAVAILABLE', 'warning', [...path, 'tier'],
      `The domain ${domain.name} asks for ${domain.tier}, which this build cannot provide: ` +
      'every exchange in it is refused.');
  } else if (domain.attestationRequired) {
    problems.at('MESH_ATTESTATION_UNAVAILABLE', 'error', [...path, 'attestation_required']);
  }
  const advice = tierAdvice(domain, problems.placed.mesh.development === true);
  if (advice !== null) problems.at(advice.code, 'warning', [...path, 'tier'], advice.text);
}

function edgeProblems(problems: Problems): void {
  const { mesh, edgePaths } = problems.placed;
  const seen = new Set<string>();
  for (const [index, edge] of mesh.edges.entries()) {
    const path = edgePaths[index] ?? ['security_mesh', 'edges'];
    const key = `${edge.from} ${edge.to} ${edge.domain}`;
    if (seen.has(key)) problems.at('MESH_EDGE_DUPLICATE', 'error', path);
    seen.add(key);
    if (edge.from === edge.to) problems.at('MESH_EDGE_SELF', 'error', path);
    if (edge.schemas.length === 0 && edge.mayRequest.length === 0) {
      problems.at('MESH_EDGE_IDLE', 'warning', path);
    }
    edgeRoleProblems(problems, edge, path);
  }
}

function edgeRoleProblems(problems: Problems, edge: Edge, path: Path): void {
  const { mesh } = problems.placed;
  const domain = mesh.domains.get(edge.domain);
  if (domain === undefined) return;
  for (const end of ['from', 'to'] as const) {
    const agent = mesh.agents.get(edge[end]);
    if (agent === undefined || domain.allowedRoles.includes(agent.role)) continue;
    problems.at('MESH_EDGE_ROLE', 'error', [...path, end],
      `The domain ${domain.name} does not allow the role ${agent.role} of ${agent.name}.`);
  }
}

/** Who may release what waits (DESIGN 6.1): CRITICAL needs two people. */
function operatorProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  const count = [...mesh.operators.values()].filter((one) => hasRight(one, 'decide')).length;
  let firstHeld: ActionManifest | null = null;
  for (const action of mesh.actions.values()) {
    const path: Path = ['security_mesh', 'actions', action.name];
    if (action.risk === 'CRITICAL' && count < 2) {
      problems.at('MESH_OPERATORS_TOO_FEW', 'error', [...path, 'risk']);
    } else if (waitsForPeople(action, mesh)) firstHeld ??= action;
  }
  if (firstHeld !== null && count === 0) {
    problems.atKey('MESH_OPERATOR_NONE', 'warning', ['security_mesh', 'actions', firstHeld.name]);
  }
}

function waitsForPeople(action: ActionManifest, mesh: Mesh): boolean {
  return action.approval === 'required' || action.risk === 'HIGH' ||
    (mesh.autonomyTier === 1 && action.write);
}
