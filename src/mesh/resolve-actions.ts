// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import { builtInSchemas } from './built-in-schemas.ts';
import { answeredBy } from './expected-answer.ts';
import type { Entry, Loading } from './loading.ts';
import { entryShapes, schemaIdPattern, type EntryOf } from './mesh-file.ts';
import type { ActionManifest, Assurance } from './mesh.ts';
import type { MessageSchema } from './message-schema.ts';
import { refer } from './resolve-agents.ts';
import { resolveCaps, resolveImpact } from './resolve-bounds.ts';
import type { Defaults } from './resolve-domains.ts';
import { resolveSensitive } from './resolve-sensitive.ts';
import type { Path } from './yaml-source.ts';
import { splitTool, toolTimeoutMsDefault } from './resolve-tools.ts';
import type { UndoManifest } from './undo.ts';

/** Output of an action that declares none: the executor learns only that it was done. */
export const emptyOutput: JsonObject = { type: 'object', additionalProperties: false };

export function resolveActions(
  loading: Loading,
  entries: readonly Entry<EntryOf<'actions'>>[],
  defaults: Defaults,
): Map<string, ActionManifest> {
  const actions = new Map<string, ActionManifest>();
  for (const { name, path, value } of entries) {
    const { tool, operation } = splitTool(value.tool);
    refer(loading, 'tools', tool, [...path, 'tool']);
    const parameters = loading.schema(value.parameters, [...path, 'parameters']);
    const output = value.output === undefined
      ? emptyOutput
      : loading.schema(value.output, [...path, 'output']);
    if (parameters === null || output === null) continue;
    actions.set(name, {
      name,
      risk: value.risk,
      reversibility: value.reversibility,
      tool,
      operation,
      write: value.write,
      approval: value.approval,
      ...(value.approvers === undefined ? {} : { approvers: value.approvers }),
      parameters,
      output,
      opaque: new Set(value.opaque),
      keep: value.keep ?? null,
      sensitive: resolveSensitive(value.sensitive),
      ...assuranceOf(loading, value.assurance, [...path, 'assurance']),
      caps: resolveCaps(loading, value.caps, [...path, 'caps']),
      impact: resolveImpact(value.impact),
      ...undoOf(value.undo),
      timeoutMs: value.timeout_ms ?? defaults.timeout_ms ?? toolTimeoutMsDefault,
    });
  }
  return actions;
}

/** Whether it can undo anything is judged once all actions are known. */
function undoOf(given: EntryOf<'actions'>['undo']): { readonly undo?: UndoManifest } {
  if (given === undefined) return {};
  return { undo: { action: given.action, parameters: new Map(Object.entries(given.parameters)) } };
}

function assuranceOf(
  loading: Loading,
  given: EntryOf<'actions'>['assurance'],
  path: Path,
): { readonly assurance?: Assurance } {
  if (given === undefined) return {};
  const { confidence_min: confidenceMin = null, unknowns_max: unknownsMax = null } = given;
  for (const agent of given.challenged_by) refer(loading, 'agents', agent, [...path, 'challenged_by']);
  return { assurance: { confidenceMin, unknownsMax, challengedBy: given.challenged_by } };
}

/** The users' message schemas and the built-in ones, which cannot be redefined. */
export function resolveSchemas(
  loading: Loading,
  raw: { readonly [id: string]: unknown },
): Map<string, MessageSchema> {
  const schemas = new Map<string, MessageSchema>(builtInSchemas);
  const entries = loading.entries('schemas', raw, entryShapes.schemas, schemaIdPattern);
  for (const { name, path, value } of entries) {
    if (builtInSchemas.has(name)) {
      loading.reportKey('MESH_SCHEMA_RESERVED', path);
      continue;
    }
    const schema = loading.schema(value.schema, [...path, 'schema']);
    if (schema === null) continue;
    const answered = answeredBy(loading, value, [...path, 'type']);
    schemas.set(name, { id: name, type: value.type, schema, prose: value.prose, ...answered });
    for (const [index, id] of (value.answer?.schemas ?? []).entries()) {
      refer(loading, 'schemas', id, [...path, 'answer', 'schemas', index]);
    }
  }
  return schemas;
}
