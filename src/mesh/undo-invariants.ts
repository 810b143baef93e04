// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '../message/json.ts';
import type { ActionManifest } from './mesh.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';

/**
 * What undoes an action in an emergency runs without anybody being asked, under the signature of a kill:
 * it must be one that needs no person, and all that it is called with must come from the call it undoes.
 */
export function undoProblems(problems: Problems, action: ActionManifest): void {
  const { undo } = action;
  if (undo === undefined) return;
  const { mesh } = problems.placed;
  const path: Path = ['security_mesh', 'actions', action.name, 'undo'];
  const by = mesh.actions.get(undo.action);
  const wrong = by === undefined ? `there is no action ${JSON.stringify(undo.action)}` : faultOf(action, by);
  if (wrong !== null || by === undefined) {
    problems.at('MESH_UNDO_INVALID', 'error', [...path, 'action'], `What undoes ${action.name}: ${wrong}.`);
    return;
  }
  const asked = propertiesOf(action.parameters);
  const answered = propertiesOf(action.output);
  const taken = propertiesOf(by.parameters);
  for (const [parameter, source] of undo.parameters) {
    const [from = '', member = ''] = source.split('.');
    const known = from === 'request' ? asked : answered;
    if (taken.includes(parameter) && known.includes(member)) continue;
    problems.at('MESH_UNDO_INVALID', 'error', [...path, 'parameters', parameter],
      `What undoes ${action.name} has no parameter ${parameter}, or the call has no ${source}.`);
  }
  const { required } = by.parameters;
  const missing = (Array.isArray(required) ? required : []).filter((name) => !undo.parameters.has(String(name)));
  if (missing.length === 0) return;
  problems.atKey('MESH_UNDO_INVALID', 'error', path,
    `What undoes ${action.name} is not given its parameter ${missing.join(', ')}.`);
}

/** True where another action names this one as what undoes it. */
export function isUndo(action: ActionManifest, actions: Iterable<ActionManifest>): boolean {
  for (const { undo } of actions) if (undo?.action === action.name) return true;
  return false;
}

function faultOf(action: ActionManifest, by: ActionManifest): string | null {
  if (action.reversibility === 'irreversible') return 'it is called irreversible';
  if (by.name === action.name) return 'it is the action itself';
  if (!by.write) return 'it only reads';
  if (by.risk === 'CRITICAL') return 'CRITICAL always needs two people';
  return by.approval === 'required' ? 'it needs a person each time' : null;
}

function propertiesOf({ properties }: JsonObject): readonly string[] {
  return properties !== undefined && isJsonObject(properties) ? Object.keys(properties) : [];
}
