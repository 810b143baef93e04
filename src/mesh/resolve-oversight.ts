// SPDX-License-Identifier: Apache-2.0
import type { Loading } from './loading.ts';
import { oversightShape } from './oversight-file.ts';
import {
  defaultOversight, type ApprovalWebhook, type OversightSettings, type StandingApproval,
} from './oversight.ts';
import { parseShape } from './zod-diagnostics.ts';

/** The section `oversight`; absent means its defaults. */
export function resolveOversight(loading: Loading, raw: unknown): OversightSettings {
  if (raw === undefined) return defaultOversight;
  const result = parseShape(oversightShape, loading.source, ['security_mesh', 'oversight'], raw);
  if (!result.ok) {
    loading.diagnostics.push(...result.diagnostics);
    return defaultOversight;
  }
  const { deadlines_ms: deadlines, probes_per_day: probesPerDay, standing, webhooks } = result.value;
  const deadlinesMs: { [risk in keyof typeof deadlines]: number } = {};
  for (const risk of ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const) {
    const given = deadlines[risk];
    if (given !== undefined) deadlinesMs[risk] = given;
  }
  return {
    deadlinesMs,
    probesPerDay,
    standing: standing.map((item, index): StandingApproval => {
      const path = ['security_mesh', 'oversight', 'standing', index];
      if (!loading.declared('actions').has(item.action)) {
        loading.report('MESH_ACTION_UNKNOWN', [...path, 'action']);
      }
      const where = Object.entries(item.where).map(([parameter, rule]) => [
        parameter, 'at_most' in rule ? { atMost: rule.at_most } : { oneOf: rule.one_of },
      ] as const);
      return { ...item, where: new Map(where), until: Date.parse(item.until) };
    }),
    webhooks: webhooks.map(({ name, url, url_file: urlFile, kind }): ApprovalWebhook =>
      ({ name, url: url ?? null, urlFile: urlFile ?? null, kind })),
  };
}
