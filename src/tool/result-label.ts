// SPDX-License-Identifier: Apache-2.0
import { joinLabels } from '../label/label.ts';
import type { ResultField, ToolManifest } from '../mesh/mesh.ts';
import type { Label } from '../message/envelope.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';

export type LabelledResult = {
  /** The join over every field: one untrusted field makes the whole untrusted. */
  readonly label: Label;
  /**
   * `tool.operation.field` for a field that the manifest declares trusted or internal, with `*` for
   * items; null for anything else. The pointer is a JSON Pointer (RFC 6901) into the result.
   */
  readonly sourceOf: (pointer: string) => string | null;
};

/** Where nobody vouches for a value, anybody may have chosen it. */
const undeclared: ResultField = { integrity: 'untrusted', classification: 'internal' };

/**
 * Labels a tool's result by its manifest. A path of `results` names one scalar field from the root
 * of the result, items as `*`; when it begins with the name of an operation of the tool, the rest
 * holds for that operation only. A key that contains `.` or is `*` matches no path: the tool's data
 * could otherwise spell the name of a trusted field.
 */
export function labelResult(
  value: JsonValue,
  tool: ToolManifest,
  operation: string,
): LabelledResult {
  const fields = declaredFields(tool, operation);
  let label: Label | null = null;
  for (const path of leafPaths(value)) {
    for (const field of fieldsAt(path, fields)) {
      const own = labelOf(field, tool.name);
      label = label === null ? own : joinLabels(label, own);
    }
  }
  return {
    label: label ?? labelOf(undeclared, tool.name),
    sourceOf: (pointer) => {
      const path = pathOfPointer(value, pointer);
      const field = path === null ? undefined : fields.get(path);
      if (field === undefined || field.integrity === 'untrusted') return null;
      return `${tool.name}.${operation}.${path}`;
    },
  };
}

function declaredFields(tool: ToolManifest, operation: string): ReadonlyMap<string, ResultField> {
  const fields = new Map<string, ResultField>();
  for (const [path, field] of tool.results) {
    const scope = [...tool.operations.keys()].find((name) => path.startsWith(`${name}.`));
    if (scope === undefined) fields.set(path, field);
    else if (scope === operation) fields.set(path.slice(scope.length + 1), field);
  }
  return fields;
}

/** Paths of all scalars; an empty container counts as one, marked by a closing dot. */
function leafPaths(root: JsonValue): ReadonlySet<string | null> {
  const found = new Set<string | null>();
  const pending: { readonly value: JsonValue; readonly path: string | null }[] = [
    { value: root, path: '' },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path } = next;
    const members = membersOf(value);
    if (members === null) found.add(path);
    else if (members.length === 0) found.add(path === null ? null : `${path}.`);
    else {
      for (const [key, member] of members) pending.push({ value: member, path: step(path, key) });
    }
  }
  return found;
}

/** An empty container says only that nothing is there, which the fields it could hold vouch for. */
function fieldsAt(
  path: string | null,
  fields: ReadonlyMap<string, ResultField>,
): readonly ResultField[] {
  if (path === null) return [undeclared];
  if (!path.endsWith('.')) return [fields.get(path) ?? undeclared];
  const prefix = path === '.' ? '' : path;
  const inside = [...fields].filter(([declared]) => declared.startsWith(prefix));
  return inside.length === 0 ? [undeclared] : inside.map(([, field]) => field);
}

function membersOf(value: JsonValue): readonly (readonly [string | null, JsonValue])[] | null {
  if (Array.isArray(value)) return value.map((item: JsonValue) => [null, item] as const);
  return isJsonObject(value) ? Object.entries(value) : null;
}

/** A null key is an array item; a null path is one that no manifest can name. */
function step(path: string | null, key: string | null): string | null {
  const segment = key === null ? '*' : key;
  const nameable = key === null || !(key.includes('.') || key === '*' || key === '');
  if (path === null || !nameable) return null;
  return path === '' ? segment : `${path}.${segment}`;
}

function labelOf(field: ResultField, tool: string): Label {
  return {
    classification: field.classification,
    integrity: field.integrity,
    origins: [`tool:${tool}`],
  };
}

/** Null unless the pointer leads to a scalar of this very value over nameable keys. */
function pathOfPointer(root: JsonValue, pointer: string): string | null {
  if (!pointer.startsWith('/')) return null;
  let value: JsonValue = root;
  let path: string | null = '';
  for (const token of pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const array: boolean = Array.isArray(value);
    if (array && !/^(0|[1-9][0-9]{0,9})$/.test(key)) return null;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    const member: JsonValue | undefined = array
      ? (value as readonly JsonValue[])[Number(key)]
      : (value as { readonly [key: string]: JsonValue })[key];
    if (member === undefined) return null;
    value = member;
    path = step(path, array ? null : key);
  }
  return typeof value === 'object' && value !== null ? null : path;
}
