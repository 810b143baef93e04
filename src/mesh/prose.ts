// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import { provePattern } from './pattern-proof.ts';
import type { Path } from './yaml-source.ts';

/** A part of a schema that could carry prose to an executor, and why. */
export type ProseGap = { readonly path: Path; readonly reason: string };

/** Longest text that an executor may be given (DESIGN, "schema-valid prose"). */
export const executorTextCharactersMax = 64;
/** Free letters per item of a list: with more, the items of a list spell a sentence. */
const listedLettersMax = 2;

/** Formats whose values are not language. Email, URI and the like are: they take a pattern. */
const closedFormats: ReadonlySet<string> = new Set([
  'date', 'date-time', 'time', 'uuid', 'ipv4', 'ipv6',
]);

/** Keywords that allow nothing by themselves, or are read by the proof. Others are not proven. */
const readKeywords: ReadonlySet<string> = new Set([
  '$schema', '$id', '$comment', '$defs', '$ref', 'title', 'description', 'examples', 'default',
  'deprecated', 'readOnly', 'writeOnly', 'type', 'enum', 'const', 'format', 'pattern', 'minLength',
  'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf',
  'properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties', 'items',
  'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'anyOf', 'oneOf', 'allOf',
]);

type Proof = {
  readonly root: JsonObject;
  readonly gaps: ProseGap[];
  /** References being followed: a schema that contains itself has no bound. */
  readonly following: readonly string[];
  /** References already looked into, so that shared definitions are proven once. */
  readonly proven: Set<string>;
  /** Inside a list, where many short texts make one long one. */
  readonly listed: boolean;
};

/**
 * G3: executors read no prose. Empty when every text that the schema accepts is an enum or const,
 * of a closed format, or matches a pattern proven free of white space with at most 64 characters,
 * and no object takes undeclared members. Sound and incomplete: what it cannot prove is a gap.
 */
export function proseGaps(schema: JsonObject): readonly ProseGap[] {
  const gaps: ProseGap[] = [];
  prove(schema, [], {
    root: schema,
    gaps,
    following: [],
    proven: new Set(),
    listed: false,
  });
  return gaps;
}

/**
 * Gaps in the parameters of an action, apart from those that nobody reads on the way: an opaque
 * parameter goes from the request to the tool, past every model (ADR 0010).
 */
export function parameterProseGaps(
  action: { readonly parameters: JsonObject; readonly opaque?: ReadonlySet<string> },
): readonly ProseGap[] {
  const isOpaque = ([keyword, name]: Path): boolean =>
    keyword === 'properties' && typeof name === 'string' && action.opaque?.has(name) === true;
  return proseGaps(action.parameters).filter(({ path }) => !isOpaque(path));
}

function prove(schema: JsonValue, path: Path, proof: Proof): void {
  const gap = (reason: string): void => {
    proof.gaps.push({ path, reason });
  };
  if (!isJsonObject(schema)) {
    if (schema !== false) gap('it accepts any value');
    return;
  }
  for (const keyword of Object.keys(schema)) {
    if (!readKeywords.has(keyword)) gap(`the keyword ${keyword} is not proven`);
  }
  if (schema['enum'] !== undefined || schema['const'] !== undefined) return;
  const closedElsewhere = proveReference(schema, path, proof) || proveBranches(schema, path, proof);
  const types = [schema['type']].flat();
  if (schema['type'] === undefined) {
    if (!closedElsewhere) gap('it states no type');
    return;
  }
  for (const type of types) {
    if (type === 'string') proveText(schema, gap, proof);
    else if (type === 'object') proveObject(schema, path, proof, gap);
    else if (type === 'array') proveList(schema, path, proof, gap);
  }
}

/** Follows a local `$ref`; true when there is one, since it then holds for the value too. */
function proveReference(schema: JsonObject, path: Path, proof: Proof): boolean {
  const reference = schema['$ref'];
  if (reference === undefined) return false;
  const name = /^#\/\$defs\/([A-Za-z0-9_-]+)$/.exec(String(reference))?.[1];
  const definitions = proof.root['$defs'];
  if (name === undefined || !isJsonObject(definitions)) {
    proof.gaps.push({ path, reason: 'only references to #/$defs/NAME are proven' });
  } else if (proof.following.includes(name)) {
    proof.gaps.push({ path, reason: 'it contains itself without a bound' });
  } else if (Object.hasOwn(definitions, name)) {
    const key = `${name} ${proof.listed}`;
    if (proof.proven.has(key)) return true;
    proof.proven.add(key);
    const following = [...proof.following, name];
    prove(definitions[name] ?? true, ['$defs', name], { ...proof, following });
  }
  return true;
}

function proveBranches(schema: JsonObject, path: Path, proof: Proof): boolean {
  let found = false;
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const options = schema[keyword];
    if (!Array.isArray(options)) continue;
    found = true;
    for (const [index, option] of options.entries()) {
      prove(option, [...path, keyword, index], proof);
    }
  }
  return found;
}

function proveText(schema: JsonObject, gap: (reason: string) => void, proof: Proof): void {
  const { format, pattern, maxLength } = schema;
  if (typeof format === 'string' && closedFormats.has(format)) return;
  if (typeof pattern !== 'string') {
    gap('a text needs an enum, a const, a closed format or a pattern');
    return;
  }
  const proven = provePattern(pattern);
  if (!proven.ok) {
    gap(`its pattern is not proven free of white space: ${proven.reason}`);
    return;
  }
  const stated = typeof maxLength === 'number' ? maxLength : Infinity;
  if (!(Math.min(stated, proven.lengthMax) <= executorTextCharactersMax)) {
    gap(`it may be longer than ${executorTextCharactersMax} characters`);
  }
  if (proof.listed && !(Math.min(stated, proven.lettersMax) <= listedLettersMax)) {
    gap('a list of free words is prose: its texts need an enum, a closed format or digits');
  }
}

function proveObject(
  schema: JsonObject,
  path: Path,
  proof: Proof,
  gap: (reason: string) => void,
): void {
  if (schema['additionalProperties'] !== false) gap('additionalProperties is not false');
  const properties = schema['properties'];
  if (!isJsonObject(properties)) return;
  for (const [name, property] of Object.entries(properties)) {
    prove(property, [...path, 'properties', name], proof);
  }
}

function proveList(
  schema: JsonObject,
  path: Path,
  proof: Proof,
  gap: (reason: string) => void,
): void {
  const listed = { ...proof, listed: true };
  const { items, prefixItems } = schema;
  if (items === undefined) gap('a list states no items');
  else prove(items, [...path, 'items'], listed);
  if (!Array.isArray(prefixItems)) return;
  for (const [index, item] of prefixItems.entries()) {
    prove(item, [...path, 'prefixItems', index], listed);
  }
}
