// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '../message/json.ts';
import { actionsOf, isPrivileged } from './duties.ts';
import type { Problems } from './problems.ts';
import type { ActionManifest, Mesh, SensitiveParameter, ToolManifest } from './mesh.ts';
import { didYouMean } from './nearest-name.ts';
import { parameterProseGaps, proseGaps } from './prose.ts';
import { emptyOutput } from './resolve-actions.ts';
import { findSource, isDoneSource, isPromptSource } from './source-field.ts';
import { isUndo, undoProblems } from './undo-invariants.ts';
import type { Path } from './yaml-source.ts';

/**
 * Facts that Cedar policies read; a parameter of one of these names could stand in for the fact.
 */
export const cedarFacts: ReadonlySet<string> = new Set([
  'risk', 'reversibility', 'domain', 'integrity', 'classification', 'hop', 'requester',
  'isolation',
]);

export function actionProblems(problems: Problems, isComplete: boolean): void {
  const { mesh } = problems.placed;
  for (const action of mesh.actions.values()) {
    const path: Path = ['security_mesh', 'actions', action.name];
    toolProblems(problems, action, path);
    proseProblems(problems, action, path);
    parameterProblems(problems, action, path);
    undoProblems(problems, action);
    if (isComplete && !isRequested(mesh, action) && !isUndo(action, mesh.actions.values())) {
      problems.atKey('MESH_ACTION_UNREACHABLE', 'warning', path);
    }
  }
  for (const tool of mesh.tools.values()) {
    readProblems(problems, tool);
    if (tool.pins !== null) continue;
    const serves = [...mesh.actions.values()]
      .some((action) => action.tool === tool.name && isPrivileged(action));
    const severity = serves && mesh.development !== true ? 'error' : 'warning';
    problems.atKey('MESH_TOOL_UNPINNED', severity, ['security_mesh', 'tools', tool.name]);
  }
}

function isRequested(mesh: Mesh, action: ActionManifest): boolean {
  return mesh.edges.some((edge) => edge.mayRequest.includes(action.name));
}

function toolProblems(problems: Problems, action: ActionManifest, path: Path): void {
  const tool = problems.placed.mesh.tools.get(action.tool);
  if (tool === undefined) return;
  if (isPrivileged(action) && !tool.guarded) {
    problems.at('MESH_TOOL_UNGUARDED', 'error', [...path, 'tool']);
  }
  if (!action.write && tool.operations.get(action.operation)?.write === true) {
    problems.at('MESH_WRITE_UNDERSTATED', 'error', [...path, 'write']);
  }
}

/** G3: parameters and output are all that an executor ever reads. */
function proseProblems(problems: Problems, action: ActionManifest, path: Path): void {
  for (const part of ['parameters', 'output'] as const) {
    const schema = action[part];
    if (schema === emptyOutput) {
      problems.atKey('MESH_OUTPUT_UNDECLARED', 'warning', path);
      continue;
    }
    const gaps = part === 'parameters' ? parameterProseGaps(action) : proseGaps(schema);
    for (const { path: pointer, reason } of gaps) {
      problems.inSchema('MESH_EXECUTOR_PROSE', schema, pointer,
        `The ${part} of ${action.name}: ${reason}.`);
    }
  }
}

function parameterProblems(problems: Problems, action: ActionManifest, path: Path): void {
  const { mesh } = problems.placed;
  const properties = isJsonObject(action.parameters['properties'])
    ? action.parameters['properties'] : {};
  if (isPrivileged(action) && action.sensitive.size === 0) {
    problems.atKey('MESH_SENSITIVE_NONE', 'warning', path);
  }
  for (const [name, sensitive] of action.sensitive) {
    const at: Path = [...path, 'sensitive', name];
    const [parameter = ''] = name.split('.');
    if (!Object.hasOwn(properties, parameter)) {
      const hint = unknownParameter(parameter, properties);
      problems.atKey('MESH_SENSITIVE_UNKNOWN', 'error', at, hint);
      continue;
    }
    sourceProblems(problems, action, sensitive, at);
    if (sensitive.atMost !== null && !isNumeric(properties[name])) {
      problems.at('MESH_BOUND_INVALID', 'error', [...at, 'at_most']);
    }
  }
  for (const name of action.caps.keys()) {
    capProblems(problems, action, name, properties, [...path, 'caps', name]);
  }
  if (mesh.policies.size === 0) return;
  for (const name of Object.keys(properties)) {
    if (!cedarFacts.has(name)) continue;
    problems.inSchema('MESH_PARAMETER_RESERVED', action.parameters, ['properties', name],
      `The parameter ${name} of ${action.name} has the name of a fact that policies read.`);
  }
}

function unknownParameter(name: string, properties: JsonObject): string {
  const hint = didYouMean(name, Object.keys(properties));
  return `${JSON.stringify(name)} is no parameter of this action${hint}`;
}

/** G5 for reads: an address, or whatever picks the object, needs a source as in an action. */
function readProblems(problems: Problems, tool: ToolManifest): void {
  for (const operation of tool.operations.values()) {
    for (const [name, sensitive] of operation.sensitive ?? []) {
      const path: Path = ['security_mesh', 'tools', tool.name, 'operations', operation.name,
        'sensitive', name];
      sourceProblems(problems, { reversibility: 'irreversible' }, sensitive, path);
    }
  }
}

/** G5: a source that third parties can write would vouch for what an attacker chose. */
function sourceProblems(
  problems: Problems,
  action: Pick<ActionManifest, 'reversibility'>,
  sensitive: SensitiveParameter,
  path: Path,
): void {
  const { mesh } = problems.placed;
  const isBounded = sensitive.atMost !== null || sensitive.oneOf !== null;
  const needsSource = action.reversibility === 'irreversible' || !isBounded;
  const named = sensitive.from.length > 0 || (sensitive.always?.size ?? 0) > 0;
  if (needsSource && !named && sensitive.endorsable !== true) {
    problems.atKey('MESH_SENSITIVE_UNBOUND', 'error', path);
  }
  const places: readonly (readonly [string, Path])[] = [
    ...sensitive.from.map((source, index) => [source, [...path, 'from', index]] as const),
    ...(sensitive.ownWords?.from ?? []).map((source, index) =>
      [source, [...path, 'own_words', 'from', index]] as const),
  ];
  for (const [source, at] of places) {
    if (isPromptSource(source) || isDoneSource(mesh, source)) continue;
    const field = findSource(mesh, source);
    if (field === null) problems.at('MESH_SOURCE_UNKNOWN', 'error', at);
    else if (field.integrity === 'untrusted') problems.at('MESH_SOURCE_UNTRUSTED', 'error', at);
  }
}

/** A cap sums what was asked for: a negative, missing or textual amount would escape it. */
function capProblems(
  problems: Problems,
  action: ActionManifest,
  name: string,
  properties: JsonObject,
  path: Path,
): void {
  if (!Object.hasOwn(properties, name)) {
    problems.atKey('MESH_SENSITIVE_UNKNOWN', 'error', path, unknownParameter(name, properties));
    return;
  }
  const property = properties[name];
  const required = action.parameters['required'];
  const isRequired = Array.isArray(required) && required.includes(name);
  if (!isRequired || !isNumeric(property) || !(lowest(property) >= 0)) {
    problems.atKey('MESH_CAP_INVALID', 'error', path);
  }
}

function isNumeric(property: unknown): property is JsonObject {
  if (!isJsonObject(property)) return false;
  return property['type'] === 'number' || property['type'] === 'integer';
}

function lowest(property: JsonObject): number {
  const { minimum, exclusiveMinimum } = property;
  return Math.max(
    typeof minimum === 'number' ? minimum : -Infinity,
    typeof exclusiveMinimum === 'number' ? exclusiveMinimum : -Infinity,
  );
}

/** Used by the description of a mesh: which executor serves an action. */
export function executorsOf(mesh: Mesh, action: string): readonly string[] {
  return [...mesh.agents.keys()].filter((agent) =>
    actionsOf(mesh, agent).some((one) => one.name === action));
}
