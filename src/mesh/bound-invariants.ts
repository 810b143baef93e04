// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import type { ActionManifest, Impact, Mesh } from './mesh.ts';
import { didYouMean } from './nearest-name.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';

/** Bounds that could not hold, because nothing says how much an action moves (EC-2.3). */
export function boundProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  for (const action of mesh.actions.values()) impactProblems(problems, action);
  for (const impact of ['money', 'records'] as const) {
    const declared = [...mesh.actions.values()].some((action) => action.impact.has(impact));
    if (declared || mesh.actions.size === 0) continue;
    for (const path of boundsOn(mesh, impact)) {
      problems.atKey('MESH_IMPACT_UNDECLARED', 'warning', path,
        `No action says how much ${impact} it moves, so this bound is never reached.`);
    }
  }
}

/** An amount that may be absent, negative or text would escape its sum. */
function impactProblems(problems: Problems, action: ActionManifest): void {
  const properties = isJsonObject(action.parameters['properties'])
    ? action.parameters['properties'] : {};
  const required = action.parameters['required'];
  for (const [impact, name] of action.impact) {
    if (typeof name !== 'string') continue;
    const path: Path = ['security_mesh', 'actions', action.name, 'impact', impact];
    if (!Object.hasOwn(properties, name)) {
      const hint = didYouMean(name, Object.keys(properties));
      problems.at('MESH_IMPACT_INVALID', 'error', path,
        `${JSON.stringify(name)} is no parameter of this action${hint}`);
      continue;
    }
    const isRequired = Array.isArray(required) && required.includes(name);
    if (!isRequired || !isCountable(properties[name])) {
      problems.at('MESH_IMPACT_INVALID', 'error', path);
    }
  }
}

function isCountable(property: unknown): boolean {
  if (!isJsonObject(property)) return false;
  if (property['type'] === 'array') return true;
  if (property['type'] !== 'number' && property['type'] !== 'integer') return false;
  const { minimum, exclusiveMinimum } = property;
  return [minimum, exclusiveMinimum].some((least) => typeof least === 'number' && least >= 0);
}

function boundsOn(mesh: Mesh, impact: Impact): readonly Path[] {
  const shared: Path = ['security_mesh', 'bounds'];
  const found: Path[] = [];
  if (mesh.bounds.task.has(impact)) found.push([...shared, 'task', impact]);
  for (const agent of mesh.agents.values()) {
    const own: Path = ['security_mesh', 'agents', agent.name, 'bounds'];
    if (agent.bounds.own.has(impact)) found.push([...own, 'own', impact]);
    if (agent.bounds.subtree.has(impact)) found.push([...own, 'subtree', impact]);
  }
  return found.slice(0, 1);
}
