// SPDX-License-Identifier: Apache-2.0
import type { Classification } from '../message/envelope.ts';
import type { Entry, Loading } from './loading.ts';
import { pinsFileShape, type EntryOf } from './mesh-file.ts';
import type {
  RecordCondition,
  ResultField,
  ToolManifest,
  ToolOperation,
  ToolPins,
} from './mesh.ts';
import { absoluteArguments } from './resolve-agents.ts';
import type { Defaults } from './resolve-domains.ts';
import { resolveSensitive } from './resolve-sensitive.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';
import { isSecureUrl } from './secure-url.ts';

export const toolTimeoutMsDefault = 30_000;

type ToolEntry = Entry<EntryOf<'tools'>>;

export function resolveTools(
  loading: Loading,
  entries: readonly ToolEntry[],
  actions: readonly Entry<EntryOf<'actions'>>[],
  pins: ReadonlyMap<string, ToolPins>,
  defaults: Defaults,
): Map<string, ToolManifest> {
  const tools = new Map<string, ToolManifest>();
  for (const entry of entries) {
    const { name, value } = entry;
    const runner = resolveRunner(loading, entry);
    if (runner === null) continue;
    const tellsGate = runner.kind !== 'http' || runner.credentialFile !== null;
    if (value.guarded === true && !tellsGate) {
      loading.report('MESH_TOOL_GUARD_UNPROVEN', [...entry.path, 'guarded']);
    }
    tools.set(name, {
      name,
      runner,
      guarded: tellsGate && (value.guarded ?? true),
      channel: value.channel,
      results: resolveResults(value, defaults.classification ?? 'internal'),
      operations: resolveOperations(entry, actions, defaults),
      pins: pins.get(name) ?? null,
    });
  }
  return tools;
}

function resolveRunner(loading: Loading, entry: ToolEntry): ToolManifest['runner'] | null {
  const { path, value } = entry;
  const { mcp } = value;
  const ways = [mcp?.stdio, mcp?.http, value.function].filter((way) => way !== undefined);
  const strayStdio = mcp?.env !== undefined && mcp.stdio === undefined;
  const strayHttp = mcp?.credential_file !== undefined && mcp.http === undefined;
  const emptyMcp = mcp !== undefined && mcp.stdio === undefined && mcp.http === undefined;
  if (ways.length !== 1 || strayStdio || strayHttp || emptyMcp) {
    loading.reportKey('MESH_TOOL_RUNNER', path);
    return null;
  }
  if (mcp?.stdio !== undefined) {
    const command = absoluteArguments(loading, mcp.stdio);
    return { kind: 'stdio', command, env: mcp.env ?? {} };
  }
  if (mcp?.http !== undefined) {
    if (!isSecureUrl(mcp.http)) loading.report('MESH_TOOL_URL_INSECURE', [...path, 'mcp', 'http']);
    const file = mcp.credential_file;
    const credentialFile = file === undefined ? null : loading.absolute(file);
    return { kind: 'http', url: mcp.http, credentialFile };
  }
  const [module = ''] = absoluteArguments(loading, [value.function ?? '']);
  return { kind: 'function', module };
}

function resolveResults(
  value: EntryOf<'tools'>,
  classification: Classification,
): Map<string, ResultField> {
  const results = new Map<string, ResultField>();
  for (const [field, given] of Object.entries(value.results)) {
    results.set(field, typeof given === 'string'
      ? { integrity: given, classification }
      : {
          integrity: given.integrity,
          classification: given.classification ?? classification,
          when: toCondition(given.when),
          unless: toCondition(given.unless),
          links: given.links,
        });
  }
  return results;
}

function toCondition(
  given: { readonly [member: string]: readonly string[] } | undefined,
): RecordCondition {
  return new Map(Object.entries(given ?? {}).map(([name, values]) => [name, new Set(values)]));
}

/** Declared operations, and those that actions use: they write unless they say otherwise. */
function resolveOperations(
  entry: ToolEntry,
  actions: readonly Entry<EntryOf<'actions'>>[],
  defaults: Defaults,
): Map<string, ToolOperation> {
  const operations = new Map<string, ToolOperation>();
  const timeoutMs = defaults.timeout_ms ?? toolTimeoutMsDefault;
  for (const [name, given] of Object.entries(entry.value.operations)) {
    const { write, idempotent } = given;
    operations.set(name, {
      name,
      write,
      idempotent,
      timeoutMs: given.timeout_ms ?? timeoutMs,
      sensitive: resolveSensitive(given.sensitive),
    });
  }
  for (const { value } of actions) {
    const { tool, operation } = splitTool(value.tool);
    if (tool !== entry.name || operations.has(operation)) continue;
    operations.set(operation, {
      name: operation,
      write: value.write,
      idempotent: false,
      timeoutMs: value.timeout_ms ?? timeoutMs,
    });
  }
  return operations;
}

/** `tool.operation` at its first dot: tool names have none. */
export function splitTool(
  reference: string,
): { readonly tool: string; readonly operation: string } {
  const dot = reference.indexOf('.');
  return { tool: reference.slice(0, dot), operation: reference.slice(dot + 1) };
}

/** The name of the pin file that belongs to a mesh file. */
export function pinsFileName(meshFile: string): string {
  return `${meshFile.replace(/\.(ya?ml|json)$/, '')}.pins.json`;
}

/** Pins of all tools, with absolute program paths; empty when there is no pin file. */
export function resolvePins(
  loading: Loading,
  toolNames: ReadonlySet<string>,
): Map<string, ToolPins> {
  const pins = new Map<string, ToolPins>();
  const file = pinsFileName(loading.source.file);
  const text = loading.optionalText(file);
  const source = text === null ? null : loading.parse(file, text);
  if (source === null) return pins;
  const parsed = parseShape(pinsFileShape, source, [], source.value);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return pins;
  }
  for (const [name, pinned] of Object.entries(parsed.value.tools)) {
    const path: Path = ['tools', name];
    if (!toolNames.has(name)) loading.add('MESH_PINS_INVALID', 'error', source.atKey(path));
    const files = Object.entries(pinned.files)
      .map(([program, hash]): [string, string] => [loading.absolute(program), hash]);
    pins.set(name, { files: Object.fromEntries(files), operations: pinned.operations });
  }
  return pins;
}
