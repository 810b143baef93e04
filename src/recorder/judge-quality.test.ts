// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { RecordedEntry } from './entry.ts';
import { JudgeQualityLog } from './judge-quality.ts';

function calibrated(agreed: boolean, digest = 'd1', at = 1): RecordedEntry {
  return {
    kind: 'judge.calibrated', at, code: agreed ? null : 'JUDGE_CASE_MISSED',
    detail: { subject: 'fraud', spec: 's', version: digest, digest },
  } as unknown as RecordedEntry;
}

function ruled(subjects: Readonly<Record<string, string>>, conflict: boolean): RecordedEntry {
  return { kind: 'judge.ruled', detail: { subjects, conflict } } as unknown as RecordedEntry;
}

test('a judge that agrees less than it did drifts, under each version of its criteria by itself', () => {
  const log = new JudgeQualityLog();
  for (let turn = 0; turn < 20; turn += 1) log.add(calibrated(true));
  for (let turn = 0; turn < 20; turn += 1) log.add(calibrated(turn % 2 === 0));
  log.add(calibrated(false, 'd2', 9));
  expect(log.qualities().judges).toMatchObject([
    { subject: 'fraud', digest: 'd1', cases: 40, agreed: 30, recent: 0.5, earlier: 1, drifts: true },
    { digest: 'd2', cases: 1, agreed: 0, recent: 0, earlier: null, drifts: false, firstAt: 9 },
  ]);
});

test('judges that differ often have criteria that do not fit together', () => {
  const log = new JudgeQualityLog();
  log.add(ruled({ fraud: 'GO' }, false));
  expect(log.qualities()).toMatchObject({ rulings: 0, conflicts: 0, misaligned: false });
  for (let turn = 0; turn < 10; turn += 1) log.add(ruled({ fraud: 'GO', security: 'NO-GO' }, turn < 2));
  expect(log.qualities()).toMatchObject({ rulings: 10, conflicts: 2, misaligned: true });
});
