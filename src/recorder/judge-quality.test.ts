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

test('models that are wrong together are counted for each subject by itself', () => {
  const log = new JudgeQualityLog();
  const said = (subject: string, expected: string, models: unknown): RecordedEntry => ({
    kind: 'judge.calibrated', at: 1, code: null,
    detail: { subject, spec: 's', version: '1', digest: 'd', expected, models },
  }) as unknown as RecordedEntry;
  for (let turn = 0; turn < 4; turn += 1) log.add(said('fraud', 'NO-GO', { one: 'GO', two: turn < 3 ? 'GO' : 'NO-GO' }));
  log.add(said('fraud', 'GO', { one: 'GO' }));
  log.add(said('security', 'GO', { one: 'GO', two: 'NO-GO' }));
  log.add(said('security', 'surely', { one: 'GO', two: 'GO' }));
  log.add(said('security', 'GO', 'nothing'));
  expect(log.qualities().shared).toMatchObject([
    { subject: 'fraud', models: ['one', 'two'], cases: 4, either: 4, both: 3, byChance: 3 },
    { subject: 'security', cases: 1, either: 1, both: 0 },
  ]);
});
