// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { parseVerifierKey } from '../verifier/checkpoint.ts';
import type { Loading } from './loading.ts';
import { entryShapes } from './mesh-file.ts';
import type { ForensicSettings, RecorderSettings } from './recorder-settings.ts';
import { withDefaults } from './resolve-domains.ts';

/**
 * Who cosigns the recorder's checkpoints, who may open payloads, and how long entries stay. Keys are
 * verifier keys of witnesses, no two the same.
 */
export function resolveRecorder(loading: Loading, raw: unknown): RecorderSettings {
  const settings = withDefaults(loading, 'recorder', entryShapes.recorder, raw);
  const seen = new Set<string>();
  for (const [at, { key }] of settings.witnesses.entries()) {
    const path = ['security_mesh', 'recorder', 'witnesses', at, 'key'];
    const parsed = parseVerifierKey(key);
    if (parsed?.use !== 'witness') {
      loading.report('MESH_WITNESS_KEY_INVALID', path);
      continue;
    }
    const bytes = parsed.key.join();
    if (seen.has(bytes)) loading.report('MESH_WITNESS_KEY_SHARED', path);
    seen.add(bytes);
  }
  const { low, medium, high, critical } = settings.retention_days;
  return {
    witnesses: settings.witnesses,
    witnessAgeMaxMs: settings.witness_age_max_ms,
    forensic: settings.forensic === undefined ? null : resolveForensic(loading, settings.forensic),
    retentionDays: { LOW: low, MEDIUM: medium, HIGH: high, CRITICAL: critical },
  };
}

/** One person with two shares would count as two. */
function resolveForensic(
  loading: Loading,
  given: NonNullable<z.infer<typeof entryShapes.recorder>['forensic']>,
): ForensicSettings {
  const { custodians, threshold, epoch_ms: epochMs, keep } = given;
  const path = ['security_mesh', 'recorder', 'forensic'];
  const seen = new Set<string>();
  for (const [at, { name, key }] of custodians.entries()) {
    if (seen.has(name) || seen.has(key)) {
      loading.report('MESH_CUSTODIAN_SHARED', [...path, 'custodians', at]);
    }
    seen.add(name).add(key);
  }
  if (threshold > custodians.length) loading.report('MESH_CUSTODIANS_FEW', [...path, 'threshold']);
  return { custodians, threshold, epochMs, keep: new Set(keep) };
}
