// SPDX-License-Identifier: Apache-2.0
import { challengeAnswerSchema } from '../message/challenge.ts';
import { clarificationAnswerSchema, clarificationSchema } from '../message/clarification.ts';
import { builtInSchemas } from './built-in-schemas.ts';
import { resolveAgentModel } from './resolve-agent-model.ts';
import type { Entry, Loading } from './loading.ts';
import { entryShapes, type EntryOf } from './mesh-file.ts';
import type { Agent, Edge, Zone } from './mesh.ts';
import type { OISpec } from './oispec.ts';
import { criteriaIn } from './oispec-criteria.ts';
import { isStatedDigest, oispecDigest } from './oispec-digest.ts';
import type { MeshCode } from './codes.ts';
import { didYouMean } from './nearest-name.ts';
import { oispecFileShape, type OISpecFile } from './oispec-file.ts';
import { resolveAgentBounds, type SharedBounds } from './resolve-bounds.ts';
import { defaultZone, type Defaults } from './resolve-domains.ts';
import { parseInterval, timeBoundaryOf } from './time-boundary.ts';
import type { Path } from './yaml-source.ts';
import { spawnRightOf, templateOf } from './spawn.ts';
import { parseShape } from './zod-diagnostics.ts';

export function resolveAgents(
  loading: Loading,
  entries: readonly Entry<EntryOf<'agents'>>[],
  zones: ReadonlyMap<string, Zone>,
  defaults: Defaults,
  shared: SharedBounds,
): Map<string, Agent> {
  const agents = new Map<string, Agent>();
  for (const { name, path, value } of entries) {
    const zone = value.zone ?? defaults.zone ?? defaultZone;
    if (value.zone !== undefined) refer(loading, 'zones', zone, [...path, 'zone']);
    for (const [index, tool] of value.tools.entries()) {
      refer(loading, 'tools', tool, [...path, 'tools', index]);
    }
    agents.set(name, {
      name,
      role: value.role,
      zone,
      clearance: value.clearance ?? zones.get(zone)?.clearance ?? 'public',
      originator: value.originator,
      tools: value.tools,
      oispec: value.oispec === undefined ? null : resolveOISpec(loading, name, path, value),
      systemPrompt: value.system_prompt === undefined
        ? null : loading.text(value.system_prompt, [...path, 'system_prompt']),
      model: resolveAgentModel(loading, value.model, [...path, 'model']),
      modelFamily: value.model_family ?? null,
      sponsor: value.sponsor ?? null,
      egress: value.egress ?? null,
      assigns: value.assigns,
      mayChange: value.may_change,
      spawn: spawnRightOf(value),
      template: templateOf(value),
      isolation: value.isolation ?? defaults.isolation ?? 'none',
      bounds: resolveAgentBounds(loading, value.bounds, [...path, 'bounds'], shared),
      command: value.command === undefined ? null : absoluteArguments(loading, value.command),
    });
  }
  return agents;
}

/** Arguments that begin with `./` or `../` are paths from the mesh file's folder. */
export function absoluteArguments(loading: Loading, command: readonly string[]): string[] {
  return command.map((part) => (/^\.{1,2}\//.test(part) ? loading.absolute(part) : part));
}

export type ResolvedEdges = { readonly edges: Edge[]; readonly paths: readonly Path[] };

export function resolveEdges(
  loading: Loading,
  raw: readonly unknown[],
  defaults: Defaults,
): ResolvedEdges {
  const edges: Edge[] = [];
  const paths: Path[] = [];
  for (const { path, value } of loading.items(['security_mesh', 'edges'], raw, entryShapes.edges)) {
    const domain = value.domain ?? defaults.domain;
    if (domain === undefined) {
      loading.report('MESH_KEY_MISSING', path, 'The key "domain" is missing.');
      continue;
    }
    refer(loading, 'agents', value.from, [...path, 'from']);
    refer(loading, 'agents', value.to, [...path, 'to']);
    if (value.domain !== undefined) refer(loading, 'domains', domain, [...path, 'domain']);
    for (const [index, id] of value.schemas.entries()) {
      const at = [...path, 'schemas', index];
      if (edgeSchemas.has(id)) continue;
      if (builtInSchemas.has(id)) loading.report('MESH_SCHEMA_RESERVED', at);
      else refer(loading, 'schemas', id, at);
    }
    for (const [index, action] of value.may_request.entries()) {
      refer(loading, 'actions', action, [...path, 'may_request', index]);
    }
    const { from, to, schemas, workflow, open } = value;
    const changed = workflow === undefined && open === undefined ? {} : { workflow, open };
    edges.push({ from, to, domain, schemas, mayRequest: value.may_request, ...changed });
    paths.push(path);
  }
  return { edges, paths };
}

/** Built-in schemas that an edge lists like any other; requests and their outcomes have a key of their own. */
const edgeSchemas: ReadonlySet<string> =
  new Set([challengeAnswerSchema, clarificationSchema, clarificationAnswerSchema]);

const unknownCodes = {
  zones: 'MESH_ZONE_UNKNOWN',
  agents: 'MESH_AGENT_UNKNOWN',
  domains: 'MESH_DOMAIN_UNKNOWN',
  tools: 'MESH_TOOL_UNKNOWN',
  actions: 'MESH_ACTION_UNKNOWN',
  schemas: 'MESH_SCHEMA_UNKNOWN',
} as const satisfies { readonly [section: string]: MeshCode };

/** Reports a reference to a name that the section does not declare. */
export function refer(
  loading: Loading,
  section: keyof typeof unknownCodes,
  name: string,
  path: Path,
): void {
  const declared = loading.declared(section);
  if (declared.has(name)) return;
  const hint = didYouMean(name, declared);
  const message = `${JSON.stringify(name)} is not declared under ${section}${hint}`;
  loading.report(unknownCodes[section], path, message);
}

function resolveOISpec(
  loading: Loading,
  agent: string,
  path: Path,
  value: EntryOf<'agents'>,
): OISpec | null {
  const source = loading.file(value.oispec ?? '', [...path, 'oispec']);
  if (source === null) return null;
  const parsed = parseShape(oispecFileShape, source, [], source.value);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  loading.noteOISpec(agent, source);
  const file = parsed.value;
  if (file.agent_id !== agent) {
    loading.add('MESH_OISPEC_AGENT', 'error', source.at(['agent_id']),
      `The OISpec is for ${JSON.stringify(file.agent_id)}, and ${JSON.stringify(agent)} names it.`);
  }
  const isOrchestrator = file.agent_role === 'orchestrator';
  if (isOrchestrator !== (value.role === 'ORCHESTRATOR')) {
    loading.add('MESH_OISPEC_ROLE', 'error', source.at(['agent_role']));
  }
  const digest = oispecDigest(source.value);
  if (file.oisspec_hash !== undefined && !isStatedDigest(file.oisspec_hash, digest)) {
    loading.add('MESH_OISPEC_HASH', 'error', source.at(['oisspec_hash']));
  }
  const boundary = file.parameters.time_boundary;
  if (typeof boundary === 'string' && parseInterval(boundary) === null) {
    loading.add('MESH_TIME_BOUNDARY', 'error', source.at(['parameters', 'time_boundary']));
  }
  return toOISpec(file, digest);
}

export function toOISpec(file: OISpecFile, digest: string): OISpec {
  const { parameters, authority } = file;
  return {
    id: file.oisspec_id,
    version: file.version,
    agent: file.agent_id,
    goal: file.objective.goal,
    permittedTools: parameters.permitted_tools,
    permittedActions: parameters.permitted_actions,
    prohibitedActions: parameters.prohibited_actions,
    dataScope: [parameters.data_scope].flat(),
    criteria: criteriaIn(file.objective.success_criteria, file.objective.failure_criteria),
    output: outputOf(parameters.output_constraints),
    canDelegate: authority.can_delegate,
    maxDelegationDepth: authority.max_delegation_depth,
    canCreateAgents: authority.can_create_agents,
    canModifyWorkflow: authority.can_modify_workflow,
    riskClassification: file.risk_classification,
    timeBoundary: timeBoundaryOf(parameters.time_boundary),
    actionOrder: parameters.action_order,
    evaluation: file.evaluation_frequency,
    digest,
  };
}

function outputOf(given: OISpecFile['parameters']['output_constraints']): OISpec['output'] {
  if (given === undefined) return null;
  return {
    confidenceWithoutSourceMax: given.max_confidence_without_source ?? 1,
    requiredFields: given.required_fields ?? [],
    prohibitedContent: given.prohibited_content ?? [],
  };
}
