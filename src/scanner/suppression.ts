// SPDX-License-Identifier: Apache-2.0
import type { Suppression } from '../mesh/scanner-settings.ts';
import { isSuppressible } from './suppressible-rules.ts';

/** Who has answered for a finding of this rule, at this path; null where nobody has. */
export type SuppressedBy = (rule: string, path: string) => Suppression | null;

/** The suppressions that have not ended and name no file. Without a clock none holds. */
export function suppressionsNow(
  suppressions: readonly Suppression[],
  nowMs: (() => number) | null,
): SuppressedBy | null {
  if (suppressions.length === 0 || nowMs === null) return null;
  const now = nowMs();
  const inForce = suppressions.filter(({ expiresAt, file }) => now < expiresAt && file === undefined);
  if (inForce.length === 0) return null;
  const isAbout = (item: Suppression, rule: string, path: string): boolean =>
    isOf(item.rule, rule) && (item.path === null || isUnder(item.path, path));
  return (rule, path) =>
    isSuppressible(rule) ? (inForce.find((item) => isAbout(item, rule, path)) ?? null) : null;
}

function isOf(pattern: string, rule: string): boolean {
  return pattern.endsWith('/*') ? rule.startsWith(pattern.slice(0, -1)) : pattern === rule;
}

function isUnder(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
