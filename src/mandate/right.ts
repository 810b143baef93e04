// SPDX-License-Identifier: Apache-2.0
import { intersectConstraints, widensConstraint } from './constraint.ts';
import { rightKey } from './mandate.ts';
import type { Constraint, Limits, Rate, Right } from './mandate.ts';

export type RightWidening =
  | 'MANDATE_WIDENS_RIGHT'
  | 'MANDATE_WIDENS_CONSTRAINT'
  | 'MANDATE_WIDENS_LIMIT';

type Constraints = { readonly [parameter: string]: Constraint };

/** How `child` grants more than `parent`, or null when it does not. */
export function rightsWidening(
  parent: readonly Right[],
  child: readonly Right[],
): RightWidening | null {
  const held = new Map(parent.map((right) => [rightKey(right), right]));
  for (const right of child) {
    const from = held.get(rightKey(right));
    if (from === undefined) return 'MANDATE_WIDENS_RIGHT';
    if (widensConstraints(from.constraints, right.constraints)) return 'MANDATE_WIDENS_CONSTRAINT';
    if (widensLimits(from.limits, right.limits)) return 'MANDATE_WIDENS_LIMIT';
  }
  return null;
}

/** What both grant. Where nothing could satisfy both, the right is left out. */
export function intersectRights<Kind extends Right>(
  a: readonly Kind[],
  b: readonly Right[],
): readonly Kind[] {
  const held = new Map(b.map((right) => [rightKey(right), right]));
  return a.flatMap((right) => {
    const other = held.get(rightKey(right));
    if (other === undefined) return [];
    const constraints = intersectAll(right.constraints, other.constraints);
    if (constraints === null) return [];
    return [{ ...right, constraints, limits: intersectLimits(right.limits, other.limits) }];
  });
}

function widensConstraints(parent: Constraints, child: Constraints): boolean {
  return Object.entries(parent).some(([parameter, constraint]) => {
    const stated = Object.hasOwn(child, parameter) ? child[parameter] : undefined;
    return stated === undefined || widensConstraint(constraint, stated);
  });
}

function intersectAll(a: Constraints, b: Constraints): Constraints | null {
  const found = new Map(Object.entries(a));
  for (const [parameter, constraint] of Object.entries(b)) {
    const other = found.get(parameter);
    const shared = other === undefined ? constraint : intersectConstraints(other, constraint);
    if (shared === null) return null;
    found.set(parameter, shared);
  }
  return Object.fromEntries([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function widensLimits(parent: Limits, child: Limits): boolean {
  if (parent.count !== null && !(child.count !== null && child.count <= parent.count)) return true;
  const wider = Object.entries(parent.totals).some(([parameter, total]) => {
    const stated = Object.hasOwn(child.totals, parameter) ? child.totals[parameter] : undefined;
    return !(stated !== undefined && stated <= total);
  });
  return wider || parent.rates.some((rate) => !child.rates.some((one) => implies(one, rate)));
}

function intersectLimits(a: Limits, b: Limits): Limits {
  const totals = new Map(Object.entries(a.totals));
  for (const [parameter, total] of Object.entries(b.totals)) {
    totals.set(parameter, Math.min(total, totals.get(parameter) ?? total));
  }
  const more = a.rates.filter((rate) => !b.rates.some((one) => implies(one, rate)));
  const rates = [...b.rates, ...more].sort((one, other) =>
    one.windowMs - other.windowMs || one.count - other.count);
  return {
    count: a.count === null || b.count === null ? (a.count ?? b.count) : Math.min(a.count, b.count),
    totals: Object.fromEntries([...totals].sort(([one], [other]) => (one < other ? -1 : 1))),
    rates,
  };
}

/** No more uses in no shorter a window: whoever keeps to `rate` keeps to `other`. */
function implies(rate: Rate, other: Rate): boolean {
  return rate.windowMs >= other.windowMs && rate.count <= other.count;
}
