// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path';
import { z } from 'zod';
import type { PolicyPlace } from './cedar-text.ts';
import type { Diagnostic } from './diagnostic.ts';
import { checkInvariants } from './invariants.ts';
import { Loading, type ReadFile } from './loading.ts';
import { entryShapes, meshFileShape, namePattern } from './mesh-file.ts';
import type { Mesh } from './mesh.ts';
import type { Placed } from './problems.ts';
import { withChildren } from './spawn.ts';
import { withoutClosed } from './workflow-rights.ts';
import { resolveEpistemic } from './epistemic-settings.ts';
import { resolveExporters } from './resolve-exporters.ts';
import { resolveActions, resolveSchemas } from './resolve-actions.ts';
import { resolveAgents, resolveEdges } from './resolve-agents.ts';
import { resolveBounds } from './resolve-bounds.ts';
import {
  resolveDefaults, resolveDomains, resolveGlobals, resolveLimits, resolveZones,
} from './resolve-domains.ts';
import { resolveFirewall } from './resolve-firewall.ts';
import { resolveJudge } from './resolve-judge.ts';
import { resolveKnowledge, resolveKnowledgeStore, resolveMemory, resolveTokens } from './resolve-knowledge.ts';
import {
  resolveDeselected, resolveOperators, resolvePatterns, resolvePolicies,
} from './resolve-people.ts';
import { resolvePace } from './resolve-pace.ts';
import { resolveRecorder } from './resolve-recorder.ts';
import { resolveWorkflows } from './resolve-workflows.ts';
import { resolveScanner } from './resolve-scanner.ts';
import { resolvePins, resolveTools } from './resolve-tools.ts';
import { resolveOversight } from './resolve-oversight.ts';
import { scannerShape } from './scanner-settings.ts';
import { parseYaml, type Path, type YamlSource } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

export type LoadedMesh =
  | {
      readonly ok: true;
      readonly mesh: Mesh;
      /** Warnings only. */
      readonly diagnostics: readonly Diagnostic[];
      readonly policyPlaces: ReadonlyMap<string, PolicyPlace>;
      /** The mesh as it was written, without places for spawned agents, and where it was. */
      readonly placed: Placed;
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const anyMap = z.record(z.string(), z.unknown()).default({});
const anyList = z.array(z.unknown()).default([]);
const { trust_domain, mode } = meshFileShape.shape.security_mesh.shape;

/** The outer frame of the file; sections are parsed entry by entry afterwards. */
const frameShape = z.strictObject({
  security_mesh: z.strictObject({
    trust_domain,
    mode,
    global: z.unknown().optional(),
    defaults: z.unknown().optional(),
    limits: z.unknown().optional(),
    recorder: z.unknown().optional(),
    bounds: z.unknown().optional(),
    firewall: z.unknown().optional(),
    judge: z.unknown().optional(),
    pace: z.unknown().optional(),
    epistemic: z.unknown().optional(),
    domains: anyList,
    zones: anyMap,
    agents: anyMap,
    edges: anyList,
    actions: anyMap,
    tools: anyMap,
    schemas: anyMap,
    operators: anyMap,
    controls: z.strictObject({ deselected: anyList }).optional(),
    patterns: anyList,
    scanner: scannerShape.optional(),
    policies: anyList,
    exporters: anyMap,
    workflows: anyMap,
    knowledge: anyMap,
    knowledge_store: z.unknown().optional(),
    memory: z.unknown().optional(),
    tokens: z.unknown().optional(),
    oversight: z.unknown().optional(),
  }),
});

type Frame = z.output<typeof frameShape>['security_mesh'];

/**
 * Loads a mesh file (`file` is absolute; `text` its content). Returns the resolved mesh with its
 * warnings, or every error there is, each with its position. Reads other files only through
 * `readFile` and never throws. What it refuses, `maso up` refuses too.
 */
export function loadMesh(file: string, text: string, readFile: ReadFile): LoadedMesh {
  const parsed = parseYaml(file, text);
  if (!parsed.ok) return { ok: false, diagnostics: parsed.diagnostics };
  const loading = new Loading(parsed.source, dirname(file), text, readFile);
  const frame = parseFrame(loading, parsed.source);
  if (frame !== null) {
    const { placed, policyPlaces } = resolve(loading, frame);
    const isComplete = loading.diagnostics.length === 0;
    loading.diagnostics.push(...checkInvariants(placed, isComplete));
    const diagnostics = inOrder(loading.diagnostics, file);
    if (!diagnostics.some((item) => item.severity === 'error')) {
      return { ok: true, mesh: withoutClosed(withChildren(placed.mesh)), diagnostics, policyPlaces, placed };
    }
  }
  return { ok: false, diagnostics: inOrder(loading.diagnostics, file) };
}

/** The frame, without its unknown keys once they are reported; null when it has no shape at all. */
function parseFrame(loading: Loading, source: YamlSource): Frame | null {
  const result = parseShape(frameShape, source, [], source.value);
  if (result.ok) return result.value.security_mesh;
  loading.diagnostics.push(...result.diagnostics);
  const lenient = z.object({ security_mesh: z.object(frameShape.shape.security_mesh.shape) });
  const again = lenient.safeParse(source.value);
  return again.success ? again.data.security_mesh : null;
}

type Resolved = {
  readonly placed: Placed;
  readonly policyPlaces: ReadonlyMap<string, PolicyPlace>;
};

function resolve(loading: Loading, frame: Frame): Resolved {
  const globals = resolveGlobals(loading, frame.global);
  const zones = resolveZones(loading, frame.zones);
  const { domains, paths: domainPaths } = resolveDomains(
    loading, frame.domains, globals, frame.defaults,
  );
  const defaults = resolveDefaults(loading, frame.defaults);
  const toolEntries = loading.entries('tools', frame.tools, entryShapes.tools, namePattern);
  const actionEntries = loading.entries('actions', frame.actions, entryShapes.actions, namePattern);
  const agentEntries = loading.entries('agents', frame.agents, entryShapes.agents, namePattern);
  const schemas = resolveSchemas(loading, frame.schemas);
  const pins = resolvePins(loading, loading.declared('tools'));
  const tools = resolveTools(loading, toolEntries, actionEntries, pins, defaults);
  const actions = resolveActions(loading, actionEntries, defaults);
  const { bounds, shared } = resolveBounds(loading, frame.bounds);
  const agents = resolveAgents(loading, agentEntries, zones, defaults, shared);
  const { edges, paths: edgePaths } = resolveEdges(loading, frame.edges, defaults);
  const operators = resolveOperators(loading, frame.operators);
  const patterns = resolvePatterns(loading, frame.patterns);
  const scanner = resolveScanner(loading, frame.scanner);
  const { policies, places: policyPlaces } = resolvePolicies(loading, frame.policies);
  const deselected = resolveDeselected(loading, frame.controls?.deselected ?? []);
  const exporters = resolveExporters(loading, frame.exporters);
  const limits = resolveLimits(loading, frame.limits);
  const recorder = resolveRecorder(loading, frame.recorder);
  const firewall = resolveFirewall(loading, frame.firewall);
  const oversight = resolveOversight(loading, frame.oversight);
  const judge = resolveJudge(loading, frame.judge);
  const workflowEntries = loading.entries('workflows', frame.workflows, entryShapes.workflows, namePattern);
  const { workflows, units } = resolveWorkflows(loading, workflowEntries);
  const pace = resolvePace(loading, frame.pace, units);
  const knowledge = resolveKnowledge(loading, frame.knowledge, { agents, domains });
  const memory = resolveMemory(loading, frame.memory, { agents, domains });
  const tokens = resolveTokens(loading, frame.tokens, { agents, domains });
  const mesh: Mesh = {
    trustDomain: frame.trust_domain,
    tlsMinVersion: 'TLSv1.3',
    credentialRotationIntervalMs: globals.credential_rotation_interval_ms,
    auditScope: globals.audit_scope,
    autonomyTier: globals.autonomy_tier,
    mode: frame.mode,
    development: globals.development,
    principals: globals.principals,
    limits, bounds, domains, zones, agents, edges, actions, tools, schemas, operators,
    deselected, recorder, patterns, scanner, policies, firewall, pace,
    exporters, oversight, judge, workflows, knowledge, memory, tokens,
    knowledgeStore: resolveKnowledgeStore(loading, frame.knowledge_store),
    epistemic: resolveEpistemic(loading, frame.epistemic),
    digest: loading.digest(),
    directory: loading.directory,
    bundle: loading.bundle(),
  };
  const placed: Placed = {
    mesh,
    edgePaths,
    domainPath: (name) => domainPaths.get(name) ?? ['security_mesh', 'domains'],
    at: (path: Path) => loading.source.at(path),
    atKey: (path: Path) => loading.source.atKey(path),
    inSchema: (schema, pointer) => loading.inSchema(schema, pointer),
    inOISpec: (agent, path) => loading.inOISpec(agent, path),
  };
  return { placed, policyPlaces };
}

/** The mesh file first, then the others; each from top to bottom. */
function inOrder(diagnostics: readonly Diagnostic[], file: string): readonly Diagnostic[] {
  return [...diagnostics].sort((a, b) =>
    Number(a.file !== file) - Number(b.file !== file) ||
    (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
    a.line - b.line ||
    a.column - b.column,
  );
}
