// SPDX-License-Identifier: Apache-2.0
import { joinLabels } from '../label/label.ts';
import { linksIn } from '../label/text-values.ts';
import type { IndexedValue } from '../label/value-index.ts';
import type { RecordCondition, ResultField, ToolManifest } from '../mesh/mesh.ts';
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
  /** Values that are no whole scalar of the result: keys of maps, links in texts, as declared. */
  readonly derived: readonly IndexedValue[];
};

/** Last steps of a path that declares an object as a map, and what stands on either side of it. */
const keyStep = '@key';
const valueStep = '@value';

/** A scalar of a result; its path is null where no manifest can name it. */
type Leaf = {
  readonly path: string | null;
  readonly value: JsonValue;
  /** The item of the outermost list that holds it, else the whole result; and its path. */
  readonly record: JsonValue;
  readonly recordPath: string;
};

/** Where nobody vouches for a value, anybody may have chosen it. */
const undeclared: ResultField = { integrity: 'untrusted', classification: 'internal' };

/**
 * Labels a tool's result by its manifest. A path of `results` names one scalar field from the root
 * of the result, items as `*`; when it begins with the name of an operation of the tool, the rest
 * holds for that operation only. A key that contains `.` or `@` or is `*` matches no path: the
 * tool's data could otherwise spell the name of a trusted field. An object whose keys are data is
 * declared by `field.@key` and `field.@value`.
 */
export function labelResult(
  value: JsonValue,
  tool: ToolManifest,
  operation: string,
): LabelledResult {
  const fields = declaredFields(tool, operation);
  const labels = new Set<ResultField>();
  const derived: IndexedValue[] = [];
  for (const leaf of leavesOf(value, fields)) {
    for (const field of fieldsAt(leaf.path, fields)) {
      labels.add(holds(field, leaf, fields) ? field : { ...field, integrity: 'untrusted' });
    }
    derived.push(...derivedFrom(leaf, fields, `${tool.name}.${operation}`));
  }
  const label = [...labels].map((field) => labelOf(field, tool.name));
  return {
    label: label.length === 0 ? labelOf(undeclared, tool.name) : joinLabels(...label),
    sourceOf: (pointer) => {
      const leaf = leafAt(value, pointer, fields);
      if (leaf === null || vouchedField(leaf, fields) === null) return null;
      return `${tool.name}.${operation}.${leaf.path}`;
    },
    derived,
  };
}

/** The declared field that vouches for this leaf here, or null. */
function vouchedField(
  leaf: Leaf,
  fields: ReadonlyMap<string, ResultField>,
): ResultField | null {
  const field = leaf.path === null ? undefined : fields.get(leaf.path);
  if (field === undefined || field.integrity === 'untrusted') return null;
  return holds(field, leaf, fields) ? field : null;
}

/** Only what a third party cannot set decides: a condition on anything else holds for nobody. */
function holds(
  field: ResultField,
  leaf: Leaf,
  fields: ReadonlyMap<string, ResultField>,
): boolean {
  const decides = (condition: RecordCondition, wanted: boolean): boolean =>
    [...condition].every(([member, values]) => {
      const path = leaf.recordPath === '' ? member : `${leaf.recordPath}.${member}`;
      const deciding = fields.get(path);
      if (deciding === undefined || deciding.integrity === 'untrusted') return false;
      if (!isJsonObject(leaf.record) || !Object.hasOwn(leaf.record, member)) return false;
      const value = leaf.record[member];
      return typeof value === 'string' && values.has(value) === wanted;
    });
  return decides(field.when ?? new Map(), true) && decides(field.unless ?? new Map(), false);
}

function derivedFrom(
  leaf: Leaf,
  fields: ReadonlyMap<string, ResultField>,
  operation: string,
): readonly IndexedValue[] {
  const field = vouchedField(leaf, fields);
  if (field === null || typeof leaf.value !== 'string') return [];
  const source = `${operation}.${leaf.path}`;
  if (leaf.path?.endsWith(`.${keyStep}`) === true) {
    return [{ value: JSON.stringify(leaf.value), source }];
  }
  if (field.links !== true) return [];
  return linksIn(leaf.value).map((link) => ({ value: JSON.stringify(link), source }));
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

/** All scalars and keys of maps; an empty container counts as one, marked by a closing dot. */
function leavesOf(root: JsonValue, fields: ReadonlyMap<string, ResultField>): readonly Leaf[] {
  const found: Leaf[] = [];
  const pending: Leaf[] = [{ value: root, path: '', record: root, recordPath: '' }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path } = next;
    const members = membersOf(value);
    if (members === null) found.push(next);
    else if (members.length === 0) found.push({ ...next, path: path === null ? null : `${path}.` });
    else {
      for (const [key, member] of members) {
        const place = stepTo(next, key, member, fields);
        if (place.path?.endsWith(`.${valueStep}`) === true && key !== null) {
          found.push({ ...place, path: `${path}.${keyStep}`, value: key });
        }
        pending.push(place);
      }
    }
  }
  return found;
}

/** One step down; a list that is the first on the way makes each of its items a record. */
function stepTo(
  from: Leaf,
  key: string | null,
  value: JsonValue,
  fields: ReadonlyMap<string, ResultField>,
): Leaf {
  const isMap = key !== null && fields.has(`${from.path}.${keyStep}`);
  const path = isMap ? `${from.path}.${valueStep}` : step(from.path, key);
  const first = key === null && path !== null && !from.recordPath.includes('*');
  return first
    ? { value, path, record: value, recordPath: path }
    : { value, path, record: from.record, recordPath: from.recordPath };
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
  const nameable = key === null || !(/[.@]/.test(key) || key === '*' || key === '');
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

/** Null unless the pointer leads to a scalar of this very value. */
function leafAt(
  root: JsonValue,
  pointer: string,
  fields: ReadonlyMap<string, ResultField>,
): Leaf | null {
  if (!pointer.startsWith('/')) return null;
  let leaf: Leaf = { value: root, path: '', record: root, recordPath: '' };
  for (const token of pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const { value } = leaf;
    const array: boolean = Array.isArray(value);
    if (array && !/^(0|[1-9][0-9]{0,9})$/.test(key)) return null;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    const member: JsonValue | undefined = array
      ? (value as readonly JsonValue[])[Number(key)]
      : (value as { readonly [key: string]: JsonValue })[key];
    if (member === undefined) return null;
    leaf = stepTo(leaf, array ? null : key, member, fields);
  }
  return typeof leaf.value === 'object' && leaf.value !== null ? null : leaf;
}
