// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from './json.ts';

/** The value at a JSON Pointer (RFC 6901); undefined where there is none, or where it is inherited. */
export function valueAt(root: JsonValue, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const token of pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = (value as readonly JsonValue[])[Number(key)];
    else if (value !== undefined && isJsonObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}
