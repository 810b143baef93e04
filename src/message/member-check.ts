// SPDX-License-Identifier: Apache-2.0
import type { MessageCode } from './codes.ts';
import type { JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';

/** What is wrong with a value: `path` is a JSON Pointer to the member, without attacker's text. */
export type Fault = { readonly code: MessageCode; readonly path: string };

/** Null when the value is as it must be. */
export type Check = (value: JsonValue) => Fault | null;

const invalid: Fault = { code: 'MESSAGE_MEMBER_INVALID', path: '' };

/** An object with exactly these members. */
export function exactly(members: { readonly [name: string]: Check }): Check {
  const table = Object.entries(members);
  return (value) => {
    if (!isJsonObject(value)) return invalid;
    for (const [name, check] of table) {
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      if (member === undefined) return { code: 'MESSAGE_MEMBER_MISSING', path: `/${name}` };
      const fault = check(member);
      if (fault !== null) return { code: fault.code, path: `/${name}${fault.path}` };
    }
    // The name of an unknown member is the sender's text, so the path stops at its parent.
    if (Object.keys(value).length !== table.length) {
      return { code: 'MESSAGE_MEMBER_UNKNOWN', path: '' };
    }
    return null;
  };
}

/** An object with at most `countMax` members whose names and values pass. */
export function mapOf(
  countMax: number,
  isKey: (key: string) => boolean,
  isValue: (value: JsonValue) => boolean,
): Check {
  return (value) => {
    if (!isJsonObject(value)) return invalid;
    const entries = Object.entries(value);
    if (entries.length > countMax) return invalid;
    return entries.every(([key, member]) => isKey(key) && isValue(member)) ? null : invalid;
  };
}

export function when(test: (value: JsonValue) => boolean): Check {
  return (value) => (test(value) ? null : invalid);
}

export function text(test: (text: string) => boolean): Check {
  return (value) => (typeof value === 'string' && test(value) ? null : invalid);
}

export function oneOf(values: readonly JsonValue[]): Check {
  return (value) => (values.includes(value) ? null : invalid);
}

export function integer(min: number, max: number): Check {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? null
      : invalid;
}

export function orNull(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

/** An array of at most `countMax` strings that pass. */
export function texts(countMax: number, test: (text: string) => boolean): Check {
  return (value) =>
    Array.isArray(value) &&
    value.length <= countMax &&
    value.every((item) => typeof item === 'string' && test(item))
      ? null
      : invalid;
}

/** Strictly ascending by UTF-16 code units: sorted, and no item twice. */
export function isAscending(items: JsonValue): boolean {
  if (!Array.isArray(items)) return false;
  for (let index = 1; index < items.length; index += 1) {
    if (!(items[index - 1] < items[index])) return false;
  }
  return true;
}

/** Both checks, in order. */
export function both(first: Check, second: Check): Check {
  return (value) => first(value) ?? second(value);
}

export const anything: Check = () => null;
