// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonValue } from '../message/json.ts';
import type { Constraint } from './mandate.ts';

/**
 * True when `child` allows, or may allow, what `parent` does not. It compares member by member: a
 * member that the parent has must be restated at least as strictly, whatever else the child says.
 */
export function widensConstraint(parent: Constraint, child: Constraint): boolean {
  if (child.absent === true && parent.absent !== true) return true;
  if ((child.each === true) !== (parent.each === true)) return true;
  return !(
    isSubset(child.oneOf, parent.oneOf) &&
    (parent.min === undefined || (child.min !== undefined && child.min >= parent.min)) &&
    isAtMost(child.max, parent.max) &&
    isAtMost(child.atMost, parent.atMost) &&
    restatesAll(child.formats, parent.formats) &&
    restatesAll(child.equalTo, parent.equalTo)
  );
}

/** What both allow, or null when no value could satisfy both. */
export function intersectConstraints(a: Constraint, b: Constraint): Constraint | null {
  if ((a.each === true) !== (b.each === true)) return null;
  const values = a.oneOf === undefined || b.oneOf === undefined
    ? (a.oneOf ?? b.oneOf)
    : inBoth(a.oneOf, b.oneOf);
  const min = bound(a.min, b.min, Math.max);
  const max = bound(a.max, b.max, Math.min);
  const atMost = bound(a.atMost, b.atMost, Math.min);
  const formats = union(a.formats, b.formats);
  const equalTo = union(a.equalTo, b.equalTo);
  const empty = values?.length === 0 ||
    (min !== undefined && (min > (max ?? min) || min > (atMost ?? min)));
  if (empty) return null;
  return {
    ...(a.absent === true && b.absent === true ? { absent: true } : {}),
    ...(a.each === true ? { each: true } : {}),
    ...(values === undefined ? {} : { oneOf: values }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(atMost === undefined ? {} : { atMost }),
    ...(formats === undefined ? {} : { formats }),
    ...(equalTo === undefined ? {} : { equalTo }),
  };
}

/** Both for canonical lists: what the parent leaves open, the child may fill. */
function isSubset(
  child: readonly JsonValue[] | undefined,
  parent: readonly JsonValue[] | undefined,
): boolean {
  if (parent === undefined) return true;
  return child !== undefined && restatesAll(parent, child);
}

function restatesAll(
  child: readonly JsonValue[] | undefined,
  parent: readonly JsonValue[] | undefined,
): boolean {
  if (parent === undefined) return true;
  if (child === undefined) return false;
  const stated = new Set(child.map((item) => canonicalize(item)));
  return parent.every((item) => stated.has(canonicalize(item)));
}

/** Written so that NaN is never within. */
function isAtMost(child: number | undefined, parent: number | undefined): boolean {
  return parent === undefined || (child !== undefined && child <= parent);
}

function inBoth<Item extends JsonValue>(a: readonly Item[], b: readonly Item[]): readonly Item[] {
  const stated = new Set(b.map((item) => canonicalize(item)));
  return a.filter((item) => stated.has(canonicalize(item)));
}

function bound(
  a: number | undefined,
  b: number | undefined,
  stricter: (a: number, b: number) => number,
): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : stricter(a, b);
}

function union<Item extends JsonValue>(
  a: readonly Item[] | undefined,
  b: readonly Item[] | undefined,
): readonly Item[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const byText = new Map([...a, ...b].map((item) => [canonicalize(item), item]));
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, item]) => item);
}
