// SPDX-License-Identifier: Apache-2.0

/** A JSON value (RFC 8259). Wire shapes are `type`s so that they are assignable here. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

export type JsonObject = { readonly [member: string]: JsonValue };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In the order of the canonical form, in whatever order the object holds them. */
export function membersInOrder(value: JsonObject): readonly (readonly [string, JsonValue])[] {
  const members = Object.entries(value);
  const isInOrder = members.every(([name], index) => index === 0 || (members[index - 1]?.[0] ?? '') < name);
  return isInOrder ? members : members.toSorted(([one], [other]) => (one < other ? -1 : 1));
}
