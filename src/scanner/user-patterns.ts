// SPDX-License-Identifier: Apache-2.0
import type { UserPattern } from '../mesh/mesh.ts';
import type { PackRule, RulePack } from '../mesh/scanner-settings.ts';
import type { Outcome } from '../review/verdict.ts';
import type { ScannerCode } from './codes.ts';
import type { LinearPattern } from './linear-pattern.ts';
import { compileLinearPattern } from './linear-pattern.ts';

/** A rule of the users' own, on the linear engine. */
export type LinearRule = {
  /** `pattern/NAME`, or `pack/PACK.NAME`. */
  readonly id: string;
  readonly code: ScannerCode;
  /** GO is a note. */
  readonly outcome: Outcome;
  readonly pattern: string;
  readonly linear: LinearPattern;
};

const codeOfKind: { readonly [kind in PackRule['kind']]: ScannerCode } = {
  injection: 'SCAN_INJECTION',
  secret: 'SCAN_SECRET',
  data: 'SCAN_PERSONAL_DATA',
};
const outcomeOfSeverity: { readonly [severity in PackRule['severity']]: Outcome } = {
  high: 'NO-GO',
  medium: 'ESCALATE',
  low: 'GO',
};

/**
 * Compiles the patterns and rule packs of the mesh file. Throws `ScannerError` SCAN_PATTERN_INVALID
 * on the first that does not compile: a rule that is not there must stop the start, not go unnoticed.
 */
export function compileLinearRules(
  patterns: readonly UserPattern[],
  packs: readonly RulePack[],
): readonly LinearRule[] {
  const own = patterns.map(({ id, pattern, outcome }): LinearRule => ({
    id: `pattern/${id}`,
    code: 'SCAN_PATTERN',
    outcome,
    pattern,
    linear: compileLinearPattern(id, pattern),
  }));
  const packed = packs.flatMap((pack) =>
    pack.rules.map(({ id, kind, severity, pattern }): LinearRule => ({
      id: `pack/${pack.name}.${id}`,
      code: codeOfKind[kind],
      outcome: outcomeOfSeverity[severity],
      pattern,
      linear: compileLinearPattern(id, pattern),
    })),
  );
  return [...own, ...packed];
}

/** Steps of the automaton: the engine's time is about proportional to this. */
export function stepsOfPattern(rule: LinearRule, text: string): number {
  return text.length * Math.ceil(1 + rule.linear.programSize / 16);
}
