// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from './json.ts';
import { MessageError } from './message-error.ts';

/** Containers may nest this deep. It bounds recursion, so a cycle ends here as a refusal. */
export const canonicalDepthMax = 256;

/**
 * The canonical text of a JSON value: RFC 8785 (JSON Canonicalization Scheme). Members are sorted
 * by UTF-16 code units, numbers and strings written as ECMAScript writes them. The UTF-8 form of
 * the result is what is signed and hashed.
 *
 * Throws `MessageError` with `MESSAGE_NOT_CANONICALISABLE` for anything that is not JSON
 * (undefined, NaN, infinities, functions, class instances), for lone surrogates, and beyond
 * `canonicalDepthMax`.
 */
export function canonicalize(value: JsonValue): string {
  // What was parsed from canonical bytes is in order already, and then the engine's own serialiser
  // writes the canonical form, several times faster than any walk in JavaScript.
  return checkInOrder(value, 0) ? JSON.stringify(value) : serialise(value);
}

/** Refuses what is not JSON; tells whether every object enumerates its members in order. */
function checkInOrder(value: JsonValue, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw refusal('holds a lone surrogate');
      return true;
    case 'number':
      if (!Number.isFinite(value)) throw refusal('holds a number that is not finite');
      return true;
    case 'boolean':
      return true;
    case 'object':
      if (value === null) return true;
      if (depth >= canonicalDepthMax) throw refusal('nests too deeply');
      return isArray(value)
        ? checkArrayInOrder(value, depth + 1)
        : checkObjectInOrder(value, depth + 1);
    default:
      throw refusal(`holds a ${typeof value}`);
  }
}

function checkArrayInOrder(items: readonly JsonValue[], depth: number): boolean {
  let inOrder = true;
  // By index: a hole reads as undefined and is refused.
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (item === undefined) throw refusal('holds undefined');
    if (!checkInOrder(item, depth)) inOrder = false;
  }
  return inOrder;
}

function checkObjectInOrder(value: JsonObject, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refusal('holds a class instance');
  let inOrder = true;
  let previous = '';
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) throw refusal('holds a lone surrogate');
    if (key < previous) inOrder = false;
    previous = key;
    const member = value[key];
    if (member === undefined) throw refusal('holds undefined');
    if (!checkInOrder(member, depth)) inOrder = false;
  }
  return inOrder;
}

/** Writes a checked value whose objects are not all in canonical order. */
function serialise(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return String(value === 0 ? 0 : value);
  return isArray(value) ? serialiseArray(value) : serialiseObject(value);
}

function serialiseArray(items: readonly JsonValue[]): string {
  let text = '[';
  let separator = '';
  for (const item of items) {
    text += separator + serialise(item);
    separator = ',';
  }
  return text + ']';
}

function serialiseObject(value: JsonObject): string {
  // The default order of `sort` is that of UTF-16 code units (ECMA-262), which RFC 8785 asks for.
  const keys = Object.keys(value).sort();
  let text = '{';
  let separator = '';
  for (const key of keys) {
    const member = value[key];
    if (member === undefined) throw refusal('changed while it was written');
    text += separator + quote(key) + ':' + serialise(member);
    separator = ',';
  }
  return text + '}';
}

/** Short text that JSON writes as it stands, which is nearly every key and identifier. */
const plain = /^[ !#-[\]-~]{0,64}$/;

function quote(text: string): string {
  return plain.test(text) ? '"' + text + '"' : JSON.stringify(text);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function refusal(reason: string): MessageError {
  return new MessageError('MESSAGE_NOT_CANONICALISABLE', `A value to be canonicalised ${reason}.`);
}
