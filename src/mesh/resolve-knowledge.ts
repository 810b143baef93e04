// SPDX-License-Identifier: Apache-2.0
import { memberForm } from '../label/combination.ts';
import { flowsTo } from '../label/label.ts';
import type {
  KnowledgeSource, KnowledgeStoreSettings, MemorySettings, TokenSettings,
} from './knowledge-settings.ts';
import { transportOf } from './knowledge-settings.ts';
import type { Loading } from './loading.ts';
import { entryShapes, namePattern } from './mesh-file.ts';
import type { Agent, Domain } from './mesh.ts';
import { refer } from './resolve-agents.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

/** What names of these sections refer to. */
export type KnowledgeParties = {
  readonly agents: ReadonlyMap<string, Agent>;
  readonly domains: ReadonlyMap<string, Domain>;
};

/** Sources of knowledge. A source is classified as its domain at least. */
export function resolveKnowledge(
  loading: Loading,
  raw: { readonly [name: string]: unknown },
  parties: KnowledgeParties,
): Map<string, KnowledgeSource> {
  const sources = new Map<string, KnowledgeSource>();
  for (const { name, path, value } of loading.entries('knowledge', raw, entryShapes.knowledge, namePattern)) {
    const { domain, readers, origin, flagged } = value;
    checkParties(loading, path, { domain, agents: readers, key: 'readers' }, parties);
    const floor = parties.domains.get(domain)?.classification ?? 'internal';
    const given = value.classification ?? floor;
    const classification = flowsTo(floor, given) ? given : floor;
    checkClearance(loading, [...path, 'readers'], readers, classification, parties);
    sources.set(name, {
      name, domain, classification, origin, flagged,
      readers: new Set(readers),
      maxAgeMs: value.max_age_ms,
      overFetch: value.over_fetch,
      piecesMax: value.pieces_max,
    });
  }
  return sources;
}

/** Null where no agent remembers anything beyond its process. */
export function resolveMemory(
  loading: Loading,
  raw: unknown,
  parties: KnowledgeParties,
): MemorySettings | null {
  if (raw === undefined) return null;
  const path: Path = ['security_mesh', 'memory'];
  const parsed = parseShape(entryShapes.memory, loading.source, path, raw);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  const { domain, agents, per, index } = parsed.value;
  checkParties(loading, path, { domain, agents, key: 'agents' }, parties);
  return {
    domain, per, index,
    agents: new Set(agents),
    retentionMs: parsed.value.retention_ms,
    halfLifeMs: parsed.value.half_life_ms,
    entriesMax: parsed.value.entries_max,
    analyseEveryMs: parsed.value.analyse_every_ms,
  };
}

/** Null where the node keeps items in a file of its own. */
export function resolveKnowledgeStore(loading: Loading, raw: unknown): KnowledgeStoreSettings | null {
  if (raw === undefined) return null;
  const path: Path = ['security_mesh', 'knowledge_store'];
  const parsed = parseShape(entryShapes.knowledge_store, loading.source, path, raw);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  const { password_file: file, password_env: env, ca_file: ca, ...given } = parsed.value;
  if (file !== undefined && env !== undefined) loading.reportKey('MESH_KNOWLEDGE_PASSWORD', path);
  const named = env === undefined ? null : { kind: 'env' as const, name: env };
  const password = file === undefined ? named : { kind: 'file' as const, path: loading.absolute(file) };
  const settings = { ...given, password, caFile: ca === undefined ? null : loading.absolute(ca) };
  if (password !== null && transportOf(settings) === 'clear') {
    loading.reportKey('MESH_KNOWLEDGE_CLEAR', [...path, file === undefined ? 'password_env' : 'password_file']);
  }
  return settings;
}

/** Null where nothing travels under tokens. */
export function resolveTokens(
  loading: Loading,
  raw: unknown,
  parties: KnowledgeParties,
): TokenSettings | null {
  if (raw === undefined) return null;
  const path: Path = ['security_mesh', 'tokens'];
  const parsed = parseShape(entryShapes.tokens, loading.source, path, raw);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  const { domain, members, sees } = parsed.value;
  checkParties(loading, path, { domain, agents: sees, key: 'sees' }, parties);
  const classification = parties.domains.get(domain)?.classification;
  if (classification !== undefined) checkClearance(loading, [...path, 'sees'], sees, classification, parties);
  return { domain, members: new Set(members.map(memberForm)), sees: new Set(sees) };
}

function checkClearance(
  loading: Loading,
  path: Path,
  names: readonly string[],
  classification: KnowledgeSource['classification'],
  { agents }: KnowledgeParties,
): void {
  for (const [at, name] of names.entries()) {
    const clearance = agents.get(name)?.clearance;
    if (clearance === undefined || flowsTo(classification, clearance)) continue;
    loading.report('MESH_KNOWLEDGE_CLEARANCE', [...path, at]);
  }
}

function checkParties(
  loading: Loading,
  path: Path,
  named: { readonly domain: string; readonly agents: readonly string[]; readonly key: string },
  { agents, domains }: KnowledgeParties,
): void {
  refer(loading, 'domains', named.domain, [...path, 'domain']);
  const roles = domains.get(named.domain)?.allowedRoles;
  for (const [at, name] of named.agents.entries()) {
    const place = [...path, named.key, at];
    refer(loading, 'agents', name, place);
    const agent = agents.get(name);
    if (agent === undefined) continue;
    if (agent.role === 'EXECUTOR') loading.report('MESH_KNOWLEDGE_EXECUTOR', place);
    else if (roles !== undefined && !roles.includes(agent.role)) {
      loading.report('MESH_KNOWLEDGE_ROLE', place);
    }
  }
}
