// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';

/** What a change does to what is allowed; `unclear` where nobody can tell without running it. */
export type ChangeEffect = 'none' | 'widens' | 'narrows' | 'both' | 'unclear';

/** Compares one field of two versions of the same thing; both are plain JSON, null where absent. */
export type Measure = (before: JsonValue, after: JsonValue) => ChangeEffect;

export function combineEffects(effects: readonly ChangeEffect[]): ChangeEffect {
  const present = new Set(effects.filter((effect) => effect !== 'none'));
  if (present.has('unclear')) return 'unclear';
  if (present.has('both') || present.size > 1) return 'both';
  const [only = 'none'] = present;
  return only;
}

export function opposite(effect: ChangeEffect): ChangeEffect {
  if (effect === 'widens') return 'narrows';
  return effect === 'narrows' ? 'widens' : effect;
}

export const unclear: Measure = () => 'unclear';
export const neutral: Measure = () => 'none';

/** A list of what is permitted: one more widens. */
export const grants: Measure = (before, after) => {
  const { added, removed } = listChange(before, after);
  return combineEffects([
    added.length > 0 ? 'widens' : 'none', removed.length > 0 ? 'narrows' : 'none',
  ]);
};

/** A list of what is forbidden: one more narrows. */
export const forbids: Measure = (before, after) => opposite(grants(before, after));

/** An upper bound; null is none. */
export const bounds: Measure = (before, after) =>
  (after ?? Infinity) < (before ?? Infinity) ? 'narrows' : 'widens';

/** A list of permitted values; null permits every value. */
export const choices: Measure = (before, after) => {
  if (before === null || after === null) return after === null ? 'widens' : 'narrows';
  return grants(before, after);
};

/** Values in order; a later one narrows. A value that is not among them is not comparable. */
export function narrowsUpwards(order: readonly JsonValue[]): Measure {
  return (before, after) => {
    const [from, to] = [order.indexOf(before), order.indexOf(after)];
    if (from < 0 || to < 0) return 'unclear';
    return to > from ? 'narrows' : 'widens';
  };
}

export function widensUpwards(order: readonly JsonValue[]): Measure {
  const measure = narrowsUpwards(order);
  return (before, after) => opposite(measure(before, after));
}

/** A map of restrictions by name: one more narrows, and those in both are measured by field. */
export function restrictionsOf(fields: { readonly [field: string]: Measure }): Measure {
  return (before, after) => {
    const [from, to] = [objectOf(before), objectOf(after)];
    const names = new Set([...Object.keys(from), ...Object.keys(to)]);
    return combineEffects([...names].map((name) => {
      if (!Object.hasOwn(from, name)) return 'narrows';
      if (!Object.hasOwn(to, name)) return 'widens';
      return combineEffects(changedFields(from[name] ?? null, to[name] ?? null)
        .map(({ field, before: old, after: now }) => (fields[field] ?? unclear)(old, now)));
    }));
  };
}

export type ChangedField = {
  readonly field: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
};

export function changedFields(before: JsonValue, after: JsonValue): readonly ChangedField[] {
  const [from, to] = [objectOf(before), objectOf(after)];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .map((field) => ({ field, before: from[field] ?? null, after: to[field] ?? null }))
    .filter((one) => canonicalize(one.before) !== canonicalize(one.after));
}

/** Members that one list has and the other has not, as text. */
export function listChange(
  before: JsonValue,
  after: JsonValue,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  const [from, to] = [textsOf(before), textsOf(after)];
  return {
    added: to.filter((one) => !from.includes(one)),
    removed: from.filter((one) => !to.includes(one)),
  };
}

/** Any resolved part of a mesh as JSON: maps become objects, sets become lists. */
export function plain(value: unknown): JsonValue {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, member]) => [String(key), plain(member)]));
  }
  if (value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : null;
}

function objectOf(value: JsonValue): { readonly [name: string]: JsonValue } {
  return isJsonObject(value) ? value : {};
}

function textsOf(value: JsonValue): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.map((one) => (typeof one === 'string' ? one : canonicalize(one)));
}
