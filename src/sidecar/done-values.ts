// SPDX-License-Identifier: Apache-2.0
import type { IndexedValue } from '../label/value-index.ts';
import { donePrefix } from '../mesh/source-field.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';

/**
 * What an action that was done has established: its sensitive values, each with the source
 * `done.ACTION.PARAMETER`. Each had a listed source or a person's endorsement then, so a later
 * action that lists the source is given no new value; for example the user who was just invited.
 * `outcome` is the payload of the executor's answer; anything but DONE establishes nothing.
 */
export function doneValues(
  outcome: JsonValue,
  action: string,
  parameters: JsonObject,
  mesh: Mesh,
): readonly IndexedValue[] {
  const manifest = mesh.actions.get(action);
  if (manifest === undefined || !isJsonObject(outcome)) return [];
  if (outcome['status'] !== 'DONE' || outcome['action'] !== action) return [];
  return [...manifest.sensitive.keys()].flatMap((name) => {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    const isScalar = typeof value === 'string' || typeof value === 'number';
    if (!isScalar) return [];
    return [{ value: JSON.stringify(value), source: `${donePrefix}${action}.${name}` }];
  });
}
