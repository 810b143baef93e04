// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../message/json.ts';
import type { ToolCode } from './codes.ts';

export type ResultBounds = {
  /** UTF-16 code units of all strings and keys, plus one per other node. */
  readonly sizeMax: number;
  /** Containers open at one time. */
  readonly depthMax: number;
};

/**
 * Tells why a tool's result is refused before anything else looks at it, or null. Iterative and
 * linear: a hostile result costs at most `sizeMax` steps, whatever its shape. What is not plain
 * JSON (a class instance, a getter, NaN, a hole, a lone surrogate) is `TOOL_RESULT_NOT_JSON`.
 */
export function boundsRefusal(value: unknown, bounds: ResultBounds): ToolCode | null {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let size = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    size += scalarSize(next.value);
    if (!(size <= bounds.sizeMax)) return 'TOOL_RESULT_TOO_LARGE';
    if (typeof next.value !== 'object' || next.value === null) {
      if (!isJsonScalar(next.value)) return 'TOOL_RESULT_NOT_JSON';
      continue;
    }
    if (!(next.depth < bounds.depthMax)) return 'TOOL_RESULT_TOO_DEEP';
    const members = plainMembers(next.value);
    if (members === null) return 'TOOL_RESULT_NOT_JSON';
    size += members.length;
    if (!(size <= bounds.sizeMax)) return 'TOOL_RESULT_TOO_LARGE';
    for (const [key, member] of members) {
      size += key.length;
      pending.push({ value: member, depth: next.depth + 1 });
    }
  }
  return null;
}

/** True after `boundsRefusal` found nothing; the cast is stated in one place. */
export function isBoundedJson(value: unknown, bounds: ResultBounds): value is JsonValue {
  return boundsRefusal(value, bounds) === null;
}

function scalarSize(value: unknown): number {
  return typeof value === 'string' ? value.length + 1 : 1;
}

function isJsonScalar(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'boolean' || value === null;
}

/** Null when the container is not a plain array or object, has holes, accessors or symbols. */
function plainMembers(container: object): readonly (readonly [string, unknown])[] | null {
  const array = Array.isArray(container);
  const prototype: unknown = Object.getPrototypeOf(container);
  const plain = array
    ? prototype === Array.prototype
    : prototype === Object.prototype || prototype === null;
  if (!plain || Object.getOwnPropertySymbols(container).length > 0) return null;
  const keys = Object.keys(container);
  if (array && keys.length !== container.length) return null;
  const members: [string, unknown][] = [];
  for (const key of keys) {
    const property = Object.getOwnPropertyDescriptor(container, key);
    if (property === undefined || !('value' in property) || !key.isWellFormed()) return null;
    members.push([array ? '' : key, property.value]);
  }
  return members;
}
