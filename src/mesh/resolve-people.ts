// SPDX-License-Identifier: Apache-2.0
import { RE2JS } from 're2js';
import { guaranteed } from './deselection.ts';
import { splitCedar, type PolicyPlace } from './cedar-text.ts';
import { asJsonObject, type Loading } from './loading.ts';
import { entryShapes, namePattern, operatorKeyShape } from './mesh-file.ts';
import type { DeselectedControl, Operator, UserPattern } from './mesh.ts';
import type { Path, YamlSource } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

/** People who may decide. Keys are Ed25519 public JWKs; no two people share one. */
export function resolveOperators(
  loading: Loading,
  raw: { readonly [name: string]: unknown },
): Map<string, Operator> {
  const operators = new Map<string, Operator>();
  const holders = new Map<string, string>();
  const entries = loading.entries('operators', raw, entryShapes.operators, namePattern);
  for (const { name, path, value } of entries) {
    const isFile = typeof value === 'string';
    const source = isFile ? loading.file(value, path) : loading.source;
    if (source === null) continue;
    const operator = isFile
      ? operatorFrom(loading, name, source, [], source.value)
      : operatorFrom(loading, name, source, path, value);
    if (operator === null) continue;
    const key = String(operator.publicKey['x']);
    if (holders.has(key)) loading.reportKey('MESH_OPERATOR_KEY_SHARED', path);
    holders.set(key, name);
    operators.set(name, operator);
  }
  return operators;
}

function operatorFrom(
  loading: Loading,
  name: string,
  source: YamlSource,
  base: Path,
  value: unknown,
): Operator | null {
  const key = asJsonObject(value);
  if (key !== null && Object.hasOwn(key, 'd')) {
    loading.add('MESH_OPERATOR_PRIVATE_KEY', 'error', source.atKey([...base, 'd']));
    return null;
  }
  const parsed = parseShape(operatorKeyShape, source, base, value);
  if (key === null || !parsed.ok) {
    const at = parsed.ok ? source.at(base) : (parsed.diagnostics[0] ?? source.at(base));
    const message = parsed.ok ? undefined : parsed.diagnostics[0]?.message;
    loading.add('MESH_OPERATOR_KEY_INVALID', 'error', at, message);
    return null;
  }
  const { roles: _roles, ...publicKey } = key;
  const { roles } = parsed.value;
  return { name, publicKey, ...(roles === undefined ? {} : { roles }) };
}

/** Users' expressions run on a linear engine, and one that does not compile stops the start. */
export function resolvePatterns(loading: Loading, raw: readonly unknown[]): UserPattern[] {
  const patterns: UserPattern[] = [];
  const items = loading.items(['security_mesh', 'patterns'], raw, entryShapes.patterns);
  for (const { path, value } of items) {
    try {
      RE2JS.compile(value.pattern);
      patterns.push(value);
    } catch {
      // The engine's own message quotes the expression, which may hold what it is to find.
      loading.report('MESH_PATTERN_INVALID', [...path, 'pattern']);
    }
  }
  return patterns;
}

export function resolveDeselected(loading: Loading, raw: readonly unknown[]): DeselectedControl[] {
  return loading.items(['security_mesh', 'controls', 'deselected'], raw, entryShapes.deselected)
    .map(({ path, value }) => {
      if (guaranteed.has(value.id)) loading.report('MESH_CONTROL_GUARANTEED', [...path, 'id']);
      return value;
    });
}

export type ResolvedPolicies = {
  readonly policies: Map<string, string>;
  readonly places: ReadonlyMap<string, PolicyPlace>;
};

/** Cedar policies by `@id`, else by `file#index`; `maso check` and the sidecar parse them. */
export function resolvePolicies(loading: Loading, raw: readonly unknown[]): ResolvedPolicies {
  const policies = new Map<string, string>();
  const places = new Map<string, PolicyPlace>();
  const items = loading.items(['security_mesh', 'policies'], raw, entryShapes.policies);
  for (const { path, value: file } of items) {
    const text = loading.text(file, path);
    if (text === null) continue;
    const parts = splitCedar(text);
    if (parts === null) {
      loading.report('MESH_POLICY_UNREADABLE', path);
      continue;
    }
    for (const [index, part] of parts.entries()) {
      const id = part.id ?? `${file}#${index}`;
      if (policies.has(id)) loading.report('MESH_POLICY_ID_DUPLICATE', path);
      policies.set(id, part.text);
      places.set(id, { file: loading.absolute(file), text, offset: part.offset });
    }
  }
  return { policies, places };
}
