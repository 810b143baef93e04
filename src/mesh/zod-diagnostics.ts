// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { diagnostic, shown, type Diagnostic } from './diagnostic.ts';
import { didYouMean } from './nearest-name.ts';
import type { Path, YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

/** What a shape's issues are translated against. */
type Reading = {
  readonly source: YamlSource;
  /** Where in the source the parsed value stands. */
  readonly base: Path;
  readonly value: unknown;
  readonly shape: z.ZodType;
};

export type ShapeResult<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Parses one value of a source by its shape; every issue becomes a diagnostic at its position. */
export function parseShape<Output>(
  shape: z.ZodType<Output>,
  source: YamlSource,
  base: Path,
  value: unknown,
): ShapeResult<Output> {
  const result = shape.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const reading: Reading = { source, base, value, shape };
  const diagnostics = result.error.issues.flatMap((issue) => translate(issue, [], reading));
  return { ok: false, diagnostics };
}

function translate(issue: Issue, above: Path, reading: Reading): Diagnostic[] {
  const local: Path = [...above, ...issue.path.map(step)];
  const path = [...reading.base, ...local];
  const { source } = reading;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(reading.shape, local);
    return issue.keys.map((key) => diagnostic(
      'MESH_KEY_UNKNOWN', 'error', source.atKey([...path, key]),
      `Unknown key ${shown(key)}${didYouMean(key, known)}`,
    ));
  }
  if (issue.code === 'invalid_key') {
    return [diagnostic('MESH_NAME_INVALID', 'error', source.atKey(path))];
  }
  if (!source.has(path) && local.length > 0) {
    return [diagnostic(
      'MESH_KEY_MISSING', 'error', source.at(path.slice(0, -1)),
      `The key ${shown(String(path.at(-1)))} is missing.`,
    )];
  }
  if (issue.code === 'invalid_union') return translateUnion(issue, local, reading);
  const given = valueAt(reading.value, local);
  return [diagnostic('MESH_VALUE_INVALID', 'error', source.at(path), describe(issue, given))];
}

/** Of a union's branches the one that the value came nearest to says what is wrong. */
function translateUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  local: Path,
  reading: Reading,
): Diagnostic[] {
  const depth = (issues: readonly Issue[]): number =>
    Math.max(0, ...issues.map((one) => one.path.length + (isWrongType(one) ? 0 : 1)));
  const [nearest] = [...issue.errors].sort((a, b) => depth(b) - depth(a));
  if (nearest === undefined || nearest.length === 0) {
    const position = reading.source.at([...reading.base, ...local]);
    return [diagnostic('MESH_VALUE_INVALID', 'error', position)];
  }
  const literals = issue.errors.flat().flatMap((one) => one.code === 'invalid_value' &&
    one.path.length === 0 ? [...one.values] : []);
  return nearest.flatMap((one) => translate(
    one.code === 'invalid_value' && one.path.length === 0 ? { ...one, values: literals } : one,
    local,
    reading,
  ));
}

function isWrongType(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

/** Says what was expected; the value given is compared but never quoted. */
function describe(issue: Issue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const hint = typeof given === 'string' ? didYouMean(given, allowed) : '';
      return `Expected one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}${hint}`;
    }
    case 'invalid_type':
      return `Expected ${issue.expected}.`;
    case 'too_big':
      return `Expected at most ${String(issue.maximum)}${unitOf(issue.origin)}.`;
    case 'too_small':
      return `Expected ${issue.inclusive === false ? 'more than' : 'at least'} ` +
        `${String(issue.minimum)}${unitOf(issue.origin)}.`;
    case 'invalid_format':
      return issue.pattern === undefined
        ? `Expected the format ${issue.format}.`
        : `Expected text that matches ${issue.pattern}.`;
    default:
      return 'The value is not what this key takes.';
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' ? ' items' : '';
}

function step(key: PropertyKey): string | number {
  return typeof key === 'number' ? key : String(key);
}

function valueAt(value: unknown, path: Path): unknown {
  let current: unknown = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) {
      return undefined;
    }
    current = Reflect.get(current, key);
  }
  return current;
}

type SchemaNode = { readonly [keyword: string]: unknown };

/** The keys a shape knows at `path`, read from the JSON Schema that editors get for it too. */
function keysAt(shape: z.ZodType, path: Path): string[] {
  let nodes = branches(z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' }));
  for (const key of path) {
    nodes = nodes.flatMap((node) => {
      if (typeof key === 'number') return branches(node['items']);
      const properties = node['properties'];
      const isKnown = isNode(properties) && Object.hasOwn(properties, key);
      return branches(isKnown ? properties[key] : node['additionalProperties']);
    });
  }
  return nodes.flatMap((node) => Object.keys(isNode(node['properties']) ? node['properties'] : {}));
}

function branches(node: unknown): SchemaNode[] {
  if (!isNode(node)) return [];
  const options = node['anyOf'];
  return Array.isArray(options) ? options.flatMap(branches) : [node];
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
