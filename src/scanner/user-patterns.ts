// SPDX-License-Identifier: Apache-2.0
import type { UserPattern } from '../mesh/mesh.ts';
import type { LinearPattern } from './linear-pattern.ts';
import { compileLinearPattern } from './linear-pattern.ts';

export type CompiledUserPattern = UserPattern & { readonly linear: LinearPattern };

/**
 * Compiles the patterns of the mesh file. Throws `ScannerError` SCAN_PATTERN_INVALID on the first
 * that does not compile: a rule that is not there must stop the start, not go unnoticed.
 */
export function compileUserPatterns(
  patterns: readonly UserPattern[],
): readonly CompiledUserPattern[] {
  return patterns.map((pattern) => ({
    ...pattern,
    linear: compileLinearPattern(pattern.id, pattern.pattern),
  }));
}

/** Steps of the automaton: the engine's time is about proportional to this. */
export function stepsOf(pattern: CompiledUserPattern, text: string): number {
  return text.length * Math.ceil(1 + pattern.linear.programSize / 16);
}
