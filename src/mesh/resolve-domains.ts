// SPDX-License-Identifier: Apache-2.0
import type { Loading } from './loading.ts';
import { entryShapes, namePattern, type EntryOf } from './mesh-file.ts';
import type { Domain, Limits, Zone } from './mesh.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

export type Globals = EntryOf<'global'>;
export type Defaults = EntryOf<'defaults'>;

/** The zone of agents that name none. */
export const defaultZone = 'default';

export function resolveGlobals(loading: Loading, raw: unknown): Globals {
  return withDefaults(loading, 'global', entryShapes.global, raw);
}

export function resolveDefaults(loading: Loading, raw: unknown): Defaults {
  const defaults = withDefaults(loading, 'defaults', entryShapes.defaults, raw);
  const { zone, domain } = defaults;
  const path: Path = ['security_mesh', 'defaults'];
  if (zone !== undefined && !loading.declared('zones').has(zone)) {
    loading.report('MESH_ZONE_UNKNOWN', [...path, 'zone']);
  }
  if (domain !== undefined && !loading.declared('domains').has(domain)) {
    loading.report('MESH_DOMAIN_UNKNOWN', [...path, 'domain']);
  }
  return defaults;
}

export function resolveLimits(loading: Loading, raw: unknown): Limits {
  const limits = withDefaults(loading, 'limits', entryShapes.limits, raw);
  return {
    messageBytesMax: limits.message_bytes_max,
    depthMax: limits.depth_max,
    messagesPerSecond: limits.messages_per_second,
    messageBurst: limits.message_burst,
    messageLifetimeMs: limits.message_lifetime_ms,
    clockSkewMs: limits.clock_skew_ms,
    pendingApprovalsMax: limits.pending_approvals_max,
    approvalTimeoutMs: limits.approval_timeout_ms,
    queuedMessagesMax: limits.queued_messages_max,
    requestHopsMax: limits.request_hops_max,
    refusalGridMs: limits.refusal_grid_ms,
    contagion: {
      generationsMax: limits.contagion_generations_max,
      reachMax: limits.contagion_reach_max,
      windowMs: limits.contagion_window_ms,
      fanOutMax: limits.fan_out_max,
    },
  };
}

/** A section that is one map of settings: absent means every default. */
export function withDefaults<Section extends 'global' | 'limits' | 'recorder' | 'defaults'>(
  loading: Loading,
  section: Section,
  shape: { parse(value: unknown): EntryOf<Section> } & Parameters<typeof parseShape>[0],
  raw: unknown,
): EntryOf<Section> {
  if (raw !== undefined) {
    const result = parseShape(shape, loading.source, ['security_mesh', section], raw);
    if (!result.ok) loading.diagnostics.push(...result.diagnostics);
    else return shape.parse(raw);
  }
  return shape.parse({});
}

export function resolveZones(
  loading: Loading,
  raw: { readonly [name: string]: unknown },
): Map<string, Zone> {
  const entries = loading.entries('zones', raw, entryShapes.zones, namePattern);
  loading.declare('zones', defaultZone);
  const zones = new Map<string, Zone>();
  zones.set(defaultZone, { name: defaultZone, clearance: 'internal' });
  for (const { name, value } of entries) {
    zones.set(name, { name, clearance: value.clearance ?? 'internal' });
  }
  return zones;
}

export type ResolvedDomains = {
  readonly domains: Map<string, Domain>;
  readonly paths: ReadonlyMap<string, Path>;
};

/** Seed 003: policies per data domain. The stricter of the two credential ages is in force. */
export function resolveDomains(
  loading: Loading,
  raw: readonly unknown[],
  globals: Globals,
  defaultsRaw: unknown,
): ResolvedDomains {
  const domains = new Map<string, Domain>();
  const paths = new Map<string, Path>();
  const given = entryShapes.defaults.safeParse(defaultsRaw ?? {});
  const floor = (given.success ? given.data.classification : undefined) ?? 'internal';
  const rotationMs = globals.credential_rotation_interval_ms;
  for (const { name, path, value } of loading.items(
    ['security_mesh', 'domains'], raw, entryShapes.domains,
  )) {
    paths.set(name, path);
    domains.set(name, {
      name,
      tier: value.tier,
      allowedRoles: value.allowed_roles,
      metadataMasking: value.metadata_masking,
      auditLevel: value.audit_level ?? globals.audit_scope,
      maxTokenAgeMs: Math.min(value.max_token_age_ms ?? rotationMs, rotationMs),
      attestationRequired: value.attestation_required,
      classification: value.classification ?? floor,
    });
  }
  return { domains, paths };
}
