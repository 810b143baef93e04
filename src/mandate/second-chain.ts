// SPDX-License-Identifier: Apache-2.0
import type { EffectiveMandate } from './mandate.ts';
import { rightsWidening } from './right.ts';

/**
 * Whether a chain is a second one for its task beside those that are known: from another originator,
 * or for a delegate that has one already which this is wider than. The same delegate may get an
 * equal or a narrower one again, as after a renewal of its delegator's identity, unless the first
 * sets limits: they are counted by mandate, and a second one would count anew.
 */
export function isSecondChain(
  known: readonly EffectiveMandate[],
  candidate: EffectiveMandate,
): boolean {
  return known.some((one) => {
    if (one.id === candidate.id) return false;
    if (one.path[0] !== candidate.path[0]) return true;
    if (one.path.at(-1) !== candidate.path.at(-1)) return false;
    return one.budgets.length > 0 || isWider(candidate, one);
  });
}

function isWider(candidate: EffectiveMandate, one: EffectiveMandate): boolean {
  return (
    rightsWidening(one.rights, candidate.rights) !== null ||
    !(candidate.maxDepth <= one.maxDepth) ||
    (one.output !== null && candidate.output !== one.output)
  );
}
