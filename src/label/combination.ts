// SPDX-License-Identifier: Apache-2.0
import type { Classification } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { flowsTo } from './label.ts';

/** Harmless things that together are not: an identifier and a behaviour are about a person (DP-2.5). */
export type Combination = {
  readonly name: string;
  /** One member of each group makes the combination; names as `memberForm` writes them. */
  readonly groups: readonly ReadonlySet<string>[];
  readonly classification: Classification;
};

/** `customer_id`, `customerId` and `Customer-ID` are one name. */
export function memberForm(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * The highest classification of the combinations that a payload holds, at whatever depth; null for
 * none. A member without a value (null, empty text, list or object) counts as absent. Linear in the
 * payload. What a text says in prose is not looked at.
 */
export function combinedFloor(
  payload: JsonValue,
  combinations: readonly Combination[],
): Classification | null {
  if (combinations.length === 0) return null;
  const names = new Set<string>();
  collect(payload, names);
  let floor: Classification | null = null;
  for (const { groups, classification } of combinations) {
    const isWhole = groups.every((group) => [...group].some((name) => names.has(name)));
    if (isWhole && (floor === null || flowsTo(floor, classification))) floor = classification;
  }
  return floor;
}

function collect(value: JsonValue, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, names);
    return;
  }
  for (const [name, held] of Object.entries(value)) {
    if (isEmpty(held)) continue;
    names.add(memberForm(name));
    collect(held, names);
  }
}

function isEmpty(value: JsonValue): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
