// SPDX-License-Identifier: Apache-2.0
import type { CedarValueJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionManifest } from '../mesh/mesh.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';

/** How a parameter of an action is handed to Cedar; others than these scalars are not. */
type ScalarType = 'string' | 'boolean' | 'integer' | 'number';

type Attribute =
  | { type: 'String' | 'Boolean' | 'Long'; required: boolean }
  | { type: 'Extension'; name: 'decimal'; required: boolean }
  | { type: 'Entity'; name: string; required: boolean };

const fact = (type: 'String' | 'Long'): Attribute => ({ type, required: true });

/**
 * The Cedar schema of a mesh: one action type per action, whose context is the mesh's facts and the
 * action's scalar parameters. Policies are validated against it, so that a misspelt action or
 * attribute stops the start instead of leaving a rule that never fires.
 */
export function cedarSchema(actions: Iterable<ActionManifest>): SchemaJson<string> {
  const agentShape = { role: fact('String'), zone: fact('String') };
  const declared = [...actions].map((action): [string, unknown] => [action.name, {
    appliesTo: {
      principalTypes: ['Agent'],
      resourceTypes: ['Tool'],
      context: { type: 'Record', attributes: contextAttributes(action) },
    },
  }]);
  const schema: unknown = {
    '': {
      entityTypes: {
        Agent: { memberOfTypes: ['Zone'], shape: { type: 'Record', attributes: agentShape } },
        Zone: {},
        Tool: {},
      },
      actions: Object.fromEntries(declared),
    },
  };
  // The generated type admits only fully annotated records; the shape above is Cedar's JSON schema.
  return schema as SchemaJson<string>;
}

function contextAttributes(action: ActionManifest): { readonly [name: string]: Attribute } {
  const parameters = [...scalarParameters(action)].map(([name, type]): [string, Attribute] => [
    name, attributeOf(type, isRequired(action.parameters, name)),
  ]);
  return {
    ...Object.fromEntries(parameters),
    risk: fact('String'),
    reversibility: fact('String'),
    domain: fact('String'),
    integrity: fact('String'),
    classification: fact('String'),
    isolation: fact('String'),
    hop: fact('Long'),
    requester: { type: 'Entity', name: 'Agent', required: true },
  };
}

function attributeOf(type: ScalarType, required: boolean): Attribute {
  switch (type) {
    case 'string':
      return { type: 'String', required };
    case 'boolean':
      return { type: 'Boolean', required };
    case 'integer':
      return { type: 'Long', required };
    case 'number':
      return { type: 'Extension', name: 'decimal', required };
    default:
      return type satisfies never;
  }
}

/** The parameters that Cedar sees, by the type that their schema declares. */
export function scalarParameters(action: ActionManifest): ReadonlyMap<string, ScalarType> {
  const found = new Map<string, ScalarType>();
  const properties = action.parameters['properties'];
  if (!isJsonObject(properties)) return found;
  for (const [name, property] of Object.entries(properties)) {
    const type = isJsonObject(property) ? typeOf(property) : null;
    if (type !== null) found.set(name, type);
  }
  return found;
}

function typeOf(property: JsonObject): ScalarType | null {
  const { type, enum: listed } = property;
  if (type === 'string' || type === 'boolean') return type;
  if (type === 'integer' || type === 'number') return type;
  const isTextList = type === undefined && Array.isArray(listed) &&
    listed.every((value: JsonValue) => typeof value === 'string');
  return isTextList ? 'string' : null;
}

function isRequired(schema: JsonObject, name: string): boolean {
  const required = schema['required'];
  return Array.isArray(required) && required.includes(name);
}

/**
 * A parameter as Cedar takes it: integers as Long, numbers as decimal with at most four places.
 * Null when the value cannot be handed over exactly: a rounded amount could pass where the real
 * one fails.
 */
export function cedarValue(value: JsonValue, type: ScalarType): CedarValueJson | null {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value + 0 : null;
    case 'number':
      return typeof value === 'number' ? decimal(value) : null;
    default:
      return type satisfies never;
  }
}

function decimal(value: number): CedarValueJson | null {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER / 1e4)) return null;
  const text = value.toFixed(4);
  return Number(text) === value ? { __extn: { fn: 'decimal', arg: text } } : null;
}
