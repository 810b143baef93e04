// SPDX-License-Identifier: Apache-2.0
import type { JudgeSettings, JudgeSubject } from '../mesh/judge-settings.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import type { Finding, Verdict } from '../review/verdict.ts';
import type { Ruling } from './judge.ts';

/**
 * What still stands once the judges have spoken. Their NO-GO and ESCALATE stand beside the others.
 * Their GO takes an ESCALATE away only where the mesh file lets it, for a class below CRITICAL, from
 * the scanner, and when every finding of it is of a subject whose own judge said GO. A
 * suspicion that text directs models is never theirs to lift: it is about them (RT-06). Policy, bus,
 * people, PACE and tool gate are out of their reach whatever they say (RT-15).
 */
export function afterRuling(
  verdicts: readonly Verdict[],
  ruling: Ruling,
  risk: RiskClass,
  { release }: Pick<JudgeSettings, 'release'>,
): readonly Verdict[] {
  const isGo = ruling.verdict.outcome === 'GO';
  if (!isGo || release === 'never' || risk === 'CRITICAL') return [...verdicts, ruling.verdict];
  const settled = new Set(
    ruling.subjects.filter(({ outcome }) => outcome === 'GO').map(({ subject }) => subject),
  );
  const isSettled = (found: Finding): boolean => {
    const subject = subjects.get(found.code);
    return subject !== undefined && settled.has(subject);
  };
  const stands = (verdict: Verdict): boolean =>
    verdict.outcome !== 'ESCALATE' || verdict.control !== 'scanner' ||
    verdict.findings.length === 0 || !verdict.findings.every(isSettled);
  return [...verdicts.filter(stands), ruling.verdict];
}

/** The subject that a finding raises; every other code is for people alone. */
const subjects: ReadonlyMap<string, JudgeSubject> = new Map([
  ['SCAN_SECRET', 'data_protection'],
  ['SCAN_PERSONAL_DATA', 'data_protection'],
  ['SCAN_PATTERN', 'security'],
  ['SCAN_UNSAFE_OUTPUT', 'security'],
]);
