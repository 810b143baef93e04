// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { ExportedEntry } from '../recorder/exporter.ts';
import { atlasTechniques, attackTagsOf, owaspRisks, type AtlasId, type OwaspId } from './attack-tags.ts';
import { entryClasses, ocsfClasses, type EntryClass } from './entry-classes.ts';

export const ocsfVersion = '1.3.0';
const product = { name: 'maso', vendor_name: 'maso', feature: { name: 'flight recorder' } };
const atlasMatrix = 'ATLAS';

/**
 * One entry as an OCSF event. A refusal whose code may be a sign of an attack is a Detection
 * Finding with its tags, whatever kind of entry it is; everything else has the class of its kind.
 * What OCSF has no attribute for stands under `unmapped`.
 */
export function ocsfEvent(entry: ExportedEntry): JsonObject {
  const codes = codesOf(entry);
  const tags = tagsOf(codes);
  const own = entryClasses[entry.kind];
  const suspicious = entry.outcome !== 'GO' && (tags.atlas.length > 0 || tags.owasp.length > 0);
  const row: EntryClass = suspicious
    ? { ...entryClasses['indicator.raised'], signal: own.signal }
    : own;
  const ocsf = ocsfClasses[row.ocsf];
  const severity = severityOf(entry, suspicious);
  return withoutNull({
    class_uid: ocsf.uid,
    class_name: ocsf.name,
    category_uid: ocsf.category,
    category_name: ocsf.in,
    activity_id: row.activity,
    activity_name: row.activityName,
    type_uid: ocsf.uid * 100 + row.activity,
    type_name: `${ocsf.name}: ${row.activity === 99 ? 'Other' : row.activityName}`,
    time: entry.atMs,
    severity_id: severity.id,
    severity: severity.name,
    ...statusOf(entry),
    metadata: withoutNull({
      version: ocsfVersion,
      product,
      uid: `${entry.log}:${entry.sequence}`,
      log_name: entry.log,
      sequence: entry.sequence,
      event_code: entry.kind,
      logged_time: entry.recordedAtMs,
      correlation_uid: entry.traceId,
      labels: labelsOf(tags),
    }),
    ...bodyOf(row, entry, codes, tags),
    unmapped: unmappedOf(entry, codes),
  });
}

type Tags = { readonly atlas: readonly AtlasId[]; readonly owasp: readonly OwaspId[] };

/** The leading code first, then those of findings and of what a digest counts. */
function codesOf(entry: ExportedEntry): readonly string[] {
  const found = entry.verdicts.filter(({ outcome }) => outcome !== 'GO').flatMap(({ codes }) => codes);
  const leading = entry.code === null ? [] : [entry.code];
  return [...new Set([...leading, ...found, ...Object.keys(entry.counted)])];
}

function tagsOf(codes: readonly string[]): Tags {
  const tags = codes.map((code) => attackTagsOf(code) ?? { atlas: [], owasp: [] });
  return {
    atlas: [...new Set(tags.flatMap(({ atlas }) => atlas))],
    owasp: [...new Set(tags.flatMap(({ owasp }) => owasp))],
  };
}

function labelsOf({ atlas, owasp }: Tags): readonly string[] | null {
  const labels = [
    ...atlas.map((id) => `mitre-atlas:${id}`),
    ...owasp.map((id) => `owasp:${id}`),
  ];
  return labels.length === 0 ? null : labels;
}

function severityOf(
  { kind, outcome }: ExportedEntry,
  suspicious: boolean,
): { readonly id: number; readonly name: string } {
  if (kind === 'indicator.raised') return { id: 4, name: 'High' };
  if (kind === 'tool.in-doubt' || kind === 'recorder.unavailable') return { id: 4, name: 'High' };
  if (suspicious && outcome === 'NO-GO') return { id: 3, name: 'Medium' };
  if (suspicious || outcome === 'NO-GO' || outcome === 'ESCALATE') return { id: 2, name: 'Low' };
  return { id: 1, name: 'Informational' };
}

function statusOf({ outcome, code, kind }: ExportedEntry): JsonObject {
  const detail = code === null ? {} : { status_detail: code, status_code: code };
  switch (outcome) {
    case 'GO':
      return { status_id: 1, status: 'Success', ...detail };
    case 'NO-GO':
      return kind === 'identity.revoked' || kind === 'mandate.revoked' || kind === 'task.ended'
        ? { status_id: 1, status: 'Success', ...detail }
        : { status_id: 2, status: 'Failure', ...detail };
    case 'ESCALATE':
      return { status_id: 99, status: 'Escalated', ...detail };
    default:
      return { status_id: 0, status: 'Unknown', ...detail };
  }
}

/** What the class asks for beyond the base event. */
function bodyOf(
  row: EntryClass,
  entry: ExportedEntry,
  codes: readonly string[],
  tags: Tags,
): JsonObject {
  const actor = { app_name: 'maso', user: userOf(entry) };
  switch (row.ocsf) {
    case 'detection':
      return {
        actor,
        finding_info: withoutNull({
          uid: `${entry.log}:${entry.sequence}`,
          title: codes[0] ?? entry.kind,
          types: [...codes],
          attacks: tags.atlas.length === 0 ? null : tags.atlas.map(attackOf),
          product_uid: entry.spanId,
          created_time: entry.atMs,
        }),
        is_alert: entry.kind === 'indicator.raised',
      };
    case 'authentication':
      return {
        actor,
        user: userOf(entry),
        is_mfa: false,
        service: { name: 'maso' },
        dst_endpoint: { name: 'maso' },
      };
    case 'entity':
      return {
        actor,
        entity: { name: entry.facts.agent ?? 'agent', type: 'Agent identity' },
      };
    case 'lifecycle':
      return { actor, app: { name: 'maso', vendor_name: 'maso' } };
    case 'api':
      return {
        actor,
        api: withoutNull({
          operation: entry.kind,
          service: { name: entry.facts.tool ?? 'maso' },
          request: { uid: entry.facts.message ?? entry.spanId },
        }),
        src_endpoint: { name: entry.facts.from ?? entry.actor.name ?? entry.actor.kind },
        ...(entry.facts.to === undefined ? {} : { dst_endpoint: { name: entry.facts.to } }),
      };
    default:
      return row.ocsf satisfies never;
  }
}

function userOf({ actor, facts }: ExportedEntry): JsonObject {
  const name = actor.name ?? facts.agent ?? actor.kind;
  return { name, type_id: actor.kind === 'operator' ? 1 : 3, uid: `${actor.kind}:${name}` };
}

function attackOf(id: AtlasId): JsonObject {
  const { name, tactic, in: tacticName } = atlasTechniques[id];
  return {
    technique: { uid: id, name, src_url: `https://atlas.mitre.org/techniques/${id}` },
    tactic: { uid: tactic, name: tacticName },
    version: atlasMatrix,
  };
}

function unmappedOf(entry: ExportedEntry, codes: readonly string[]): JsonObject {
  const risks = tagsOf(codes).owasp.map((id) => ({ uid: id, name: owaspRisks[id] }));
  return withoutNull({
    ...entry.facts,
    actor_kind: entry.actor.kind,
    outcome: entry.outcome,
    code: entry.code,
    codes: codes.length === 0 ? null : [...codes],
    counted: Object.keys(entry.counted).length === 0 ? null : { ...entry.counted },
    owasp: risks.length === 0 ? null : risks,
    took_us: entry.tookUs,
    trace_id: entry.traceId,
    span_id: entry.spanId,
    masked: entry.masked ? true : null,
    verdicts: entry.verdicts.length === 0
      ? null
      : entry.verdicts.map(({ control, outcome, tookUs }) => ({ control, outcome, took_us: tookUs })),
  });
}

function withoutNull(members: {
  readonly [name: string]: JsonValue | undefined;
}): { readonly [name: string]: JsonValue } {
  const kept: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined && value !== null) kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}
