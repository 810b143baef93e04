// SPDX-License-Identifier: Apache-2.0
import type { Suppression } from '../mesh/scanner-settings.ts';
import { pointerBegun, type Place } from './structure.ts';
import { isSuppressible } from './suppressible-rules.ts';

/** Who has answered for a finding of this rule, at this place; null where nobody has. */
export type SuppressedBy = (rule: string, place: Place | null) => Suppression | null;

/** The suppressions that have not ended and name no file. Without a clock none holds. */
export function suppressionsNow(
  suppressions: readonly Suppression[],
  nowMs: (() => number) | null,
): SuppressedBy | null {
  if (suppressions.length === 0 || nowMs === null) return null;
  const now = nowMs();
  const inForce = suppressions.filter(({ expiresAt, file }) => now < expiresAt && file === undefined);
  if (inForce.length === 0) return null;
  const lengthMin = 1 + Math.max(0, ...inForce.map(({ path }) => path?.length ?? 0));
  return (rule, place) => {
    if (!isSuppressible(rule)) return null;
    const about = inForce.filter((item) => isOf(item.rule, rule));
    if (about.length === 0) return null;
    // A name may be as long as the message, and hold thousands of findings.
    const path = pointerBegun(place, lengthMin);
    return about.find((item) => item.path === null || isUnder(item.path, path)) ?? null;
  };
}

function isOf(pattern: string, rule: string): boolean {
  return pattern.endsWith('/*') ? rule.startsWith(pattern.slice(0, -1)) : pattern === rule;
}

function isUnder(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
