// SPDX-License-Identifier: Apache-2.0
import { judgeSpecShape } from './judge-spec-file.ts';
import type { JudgeSpecification, JudgeSubject } from './judge-settings.ts';
import type { Loading } from './loading.ts';
import { doubledIds } from './oispec-criteria.ts';
import { isStatedDigest, oispecDigest } from './oispec-digest.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

/** The specification of a judge in a file of its own; null where it cannot be used, and that is said. */
export function resolveJudgeSpec(
  loading: Loading,
  file: string,
  subject: JudgeSubject,
  path: Path,
): JudgeSpecification | null {
  const source = loading.file(file, path);
  if (source === null) return null;
  const parsed = parseShape(judgeSpecShape, source, [], source.value);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  const { oisspec_id: id, version, objective, calibration, oisspec_hash: stated } = parsed.value;
  if (parsed.value.judge_subject !== subject) {
    loading.add('MESH_JUDGE_SPEC_SUBJECT', 'error', source.at(['judge_subject']));
  }
  const digest = oispecDigest(source.value);
  if (stated !== undefined && !isStatedDigest(stated, digest)) {
    loading.add('MESH_OISPEC_HASH', 'error', source.at(['oisspec_hash']));
  }
  const doubled = [...doubledIds(objective.criteria), ...doubledIds(calibration?.cases ?? [])];
  if (doubled.length > 0) loading.add('MESH_CRITERION_DOUBLED', 'error', source.at(['objective']));
  return {
    id, version, digest,
    goal: objective.goal,
    criteria: objective.criteria,
    calibration: calibration === undefined ? null : {
      everyMs: calibration.every_ms,
      agreementMin: calibration.agreement_min,
      window: calibration.window,
      cases: calibration.cases,
    },
  };
}
