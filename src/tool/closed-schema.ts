// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';

/** Keywords whose subschemas describe another value than the schema itself: a member or an item. */
const memberMaps = ['properties', 'patternProperties'];
const memberSchemas = ['items', 'additionalProperties', 'unevaluatedProperties', 'contains'];
const memberLists = ['prefixItems'];
/**
 * Keywords whose subschemas describe the same value; closing them one by one would refuse
 * everything.
 */
const sameValueLists = ['allOf', 'anyOf', 'oneOf'];
const sameValueSchemas = ['if', 'then', 'else', 'not'];
const definitions = ['$defs', 'definitions'];

/**
 * The same schema with every object closed: a member that no keyword describes is refused, also
 * where the author forgot to say so. JSON Schema 2020-12; a schema that speaks about unknown
 * members itself is left as it is.
 */
export function closeSchema(schema: JsonObject): JsonObject {
  return closeValue(schema, true);
}

function closeValue(schema: JsonObject, ownsValue: boolean): JsonObject {
  const closed: { [keyword: string]: JsonValue } = {};
  for (const [keyword, part] of Object.entries(schema)) {
    closed[keyword] = closePart(keyword, part);
  }
  const open = !('additionalProperties' in schema) && !('unevaluatedProperties' in schema);
  if (ownsValue && open) closed['unevaluatedProperties'] = false;
  return closed;
}

function closePart(keyword: string, part: JsonValue): JsonValue {
  if (memberMaps.includes(keyword)) return mapSchemas(part, true);
  if (definitions.includes(keyword)) return mapSchemas(part, false);
  if (memberSchemas.includes(keyword)) return closeOne(part, true);
  if (sameValueSchemas.includes(keyword)) return closeOne(part, false);
  if (memberLists.includes(keyword)) return closeList(part, true);
  if (sameValueLists.includes(keyword)) return closeList(part, false);
  return part;
}

function closeOne(part: JsonValue, ownsValue: boolean): JsonValue {
  return isJsonObject(part) ? closeValue(part, ownsValue) : part;
}

function closeList(part: JsonValue, ownsValue: boolean): JsonValue {
  return Array.isArray(part) ? part.map((item: JsonValue) => closeOne(item, ownsValue)) : part;
}

function mapSchemas(part: JsonValue, ownsValue: boolean): JsonValue {
  if (!isJsonObject(part)) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, schema]) => [name, closeOne(schema, ownsValue)]),
  );
}
