// SPDX-License-Identifier: Apache-2.0
import { parseVerifierKey } from '../verifier/checkpoint.ts';
import type { Loading } from './loading.ts';
import { entryShapes } from './mesh-file.ts';
import type { RecorderSettings } from './mesh.ts';
import { withDefaults } from './resolve-domains.ts';

/** Who cosigns the recorder's checkpoints. Keys are verifier keys of witnesses, no two the same. */
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
  return { witnesses: settings.witnesses, witnessAgeMaxMs: settings.witness_age_max_ms };
}
