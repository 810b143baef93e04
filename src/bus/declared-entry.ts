// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { EntryDraft, EntryReceipt, Recorder } from '../recorder/entry.ts';
import type { Finding, Verdict } from '../review/verdict.ts';

/** What stands in an entry where somebody named what the mesh file does not declare. */
export const undeclaredName = 'undeclared';

type Names = {
  readonly mesh: Mesh;
  /** Members that the mesh's schemas declare: a path through them tells nothing of a payload. */
  readonly members: ReadonlySet<string>;
  readonly operations: ReadonlySet<string>;
};

const depthMax = 32;
/** Members around a payload that a path may begin with. */
const envelopeMembers = [
  'action', 'arguments', 'body', 'claim', 'domain', 'envelope', 'epistemic', 'evidence', 'expiresAt',
  'idempotencyKey', 'inReplyTo', 'issuedAt', 'label', 'mandate', 'metadata', 'parameters', 'payload',
  'prompt', 'result', 'rights', 'schema', 'sources', 'task', 'to', 'type',
];

/**
 * Lets no name into the record that an agent made up. The recipient, schema, action or tool that a
 * refused message asked for, and the members that a finding's path leads through, are the agent's to
 * choose, and a secret in their place would be kept for years (G9). Known names pass; of others the
 * record says that there was one. The node does it, so that a sidecar that is taken over cannot
 * leave it out.
 */
export class DeclaredRecorder implements Recorder {
  readonly #inner: Recorder;
  readonly #mesh: () => Mesh;
  #names: Names | null = null;

  constructor(inner: Recorder, mesh: () => Mesh) {
    this.#inner = inner;
    this.#mesh = mesh;
  }

  record(
    entries: readonly EntryDraft[],
    options?: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]> {
    const mesh = this.#mesh();
    if (this.#names?.mesh !== mesh) this.#names = namesOf(mesh);
    const names = this.#names;
    return this.#inner.record(entries.map((entry) => declaredEntry(entry, names)), options);
  }
}

/** The names that the record of this mesh may hold. */
export function namesOf(mesh: Mesh): Names {
  const members = new Set<string>(envelopeMembers);
  for (const { schema } of mesh.schemas.values()) collectMembers(schema, members, 0);
  for (const { parameters, output } of mesh.actions.values()) {
    collectMembers(parameters, members, 0);
    collectMembers(output, members, 0);
  }
  for (const { results } of mesh.tools.values()) {
    for (const field of results.keys()) for (const part of field.split('.')) members.add(part);
  }
  const operations = [...mesh.tools.values()].flatMap((tool) => [...tool.operations.keys()]);
  return { mesh, members, operations: new Set(operations) };
}

/** The entry with nothing but declared names in it; the same object where nothing had to change. */
export function declaredEntry(entry: EntryDraft, names: Names): EntryDraft {
  const detail = declaredDetail(entry.detail, names);
  const verdicts = declaredVerdicts(entry.verdicts, names);
  return detail === entry.detail && verdicts === entry.verdicts
    ? entry
    : { ...entry, detail, verdicts };
}

function declaredDetail(detail: JsonObject, names: Names): JsonObject {
  let changed: { [name: string]: JsonValue } | null = null;
  for (const [member, isKnown] of checks(names)) {
    const value = detail[member];
    if (typeof value !== 'string' || isKnown(value)) continue;
    changed ??= { ...detail };
    changed[member] = undeclaredName;
  }
  return changed ?? detail;
}

function checks({ mesh, operations }: Names): readonly (readonly [string, (name: string) => boolean])[] {
  const agent = (name: string): boolean => mesh.agents.has(name);
  return [
    ['to', agent], ['from', agent], ['sender', agent], ['requester', agent], ['agent', agent],
    ['schema', (name) => mesh.schemas.has(name)],
    ['domain', (name) => mesh.domains.has(name)],
    ['action', (name) => mesh.actions.has(name)],
    ['tool', (name) => mesh.tools.has(name)],
    ['operation', (name) => operations.has(name)],
  ];
}

function declaredVerdicts(verdicts: readonly Verdict[], names: Names): readonly Verdict[] {
  const clean = (found: Finding): boolean => found.path === null || isDeclaredPath(found.path, names);
  if (verdicts.every(({ findings }) => findings.every(clean))) return verdicts;
  return verdicts.map((verdict) => ({
    ...verdict,
    findings: verdict.findings.map((found) =>
      found.path === null ? found : { ...found, path: declaredPath(found.path, names) },
    ),
  }));
}

function isDeclaredPath(path: string, names: Names): boolean {
  return path === declaredPath(path, names);
}

/** A JSON Pointer with `*` for every segment that is neither a declared member nor an index. */
export function declaredPath(path: string, { members }: Pick<Names, 'members'>): string {
  return path
    .split('/')
    .map((segment, index) => {
      if (index === 0) return segment === '' ? '' : '*';
      return /^[0-9]{1,4}$/.test(segment) || members.has(unescaped(segment)) ? segment : '*';
    })
    .join('/');
}

function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

function collectMembers(schema: JsonValue, members: Set<string>, depth: number): void {
  if (depth > depthMax) return;
  if (Array.isArray(schema)) {
    for (const item of schema) collectMembers(item, members, depth + 1);
    return;
  }
  if (!isJsonObject(schema)) return;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties' && isJsonObject(value)) {
      for (const name of Object.keys(value)) members.add(name);
    }
    collectMembers(value, members, depth + 1);
  }
}
