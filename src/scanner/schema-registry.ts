// SPDX-License-Identifier: Apache-2.0
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { MessageSchema } from '../mesh/message-schema.ts';
import { checkAgainstMetaSchema } from '../mesh/meta-schema.ts';
import type { MessageType } from '../message/envelope.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { isJsonObject } from '../message/json.ts';
import type { Finding } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import { linearRegExp } from './linear-pattern.ts';
import { ScannerError } from './scanner-error.ts';

/** Answers whether a value is what its schema says. */
export type SchemaCheck = (value: JsonValue) => readonly Finding[];

/**
 * The schemas of messages. `check` gives no findings when the payload is what the schema promises,
 * and otherwise one: SCAN_SCHEMA_UNKNOWN, SCAN_TYPE_MISMATCH, SCAN_FREE_TEXT or
 * SCAN_SCHEMA_VIOLATION, in this order of precedence. Paths name members of the schema only where
 * the schema does; they never hold a name that the sender chose.
 */
export type SchemaRegistry = {
  readonly check: (
    schemaId: string,
    type: MessageType,
    payload: JsonValue,
  ) => readonly Finding[];
};

/** `uniqueItems` compares every pair of objects, so it needs a bound on their number. */
const uniqueItemsMax = 256;
const schemaDepthMax = 64;
const formats = [
  'date',
  'time',
  'date-time',
  'duration',
  'uri',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
] as const;

const structuralKeywords = [
  'properties',
  'required',
  'items',
  'prefixItems',
  'additionalProperties',
] as const;

type Entry = {
  readonly type: MessageType;
  readonly structured: boolean;
  readonly check: SchemaCheck;
};

/** Compiles every schema once. Throws `ScannerError` SCAN_SCHEMA_INVALID on a broken one. */
export function createSchemaRegistry(schemas: Iterable<MessageSchema>): SchemaRegistry {
  const entries = new Map<string, Entry>();
  for (const { id, type, schema } of schemas) {
    if (entries.has(id)) throw invalid(`Schema ${id} is declared twice.`);
    const structured = promisesStructure(schema);
    entries.set(id, { type, structured, check: compileSchema(id, schema) });
  }
  return {
    check(schemaId, type, payload) {
      const entry = entries.get(schemaId);
      if (entry === undefined) return [finding('SCAN_SCHEMA_UNKNOWN', 'schema/known')];
      if (entry.type !== type) return [finding('SCAN_TYPE_MISMATCH', `schema/${schemaId}`)];
      if (entry.structured && typeof payload === 'string') {
        return [finding('SCAN_FREE_TEXT', `schema/${schemaId}`, '')];
      }
      return entry.check(payload);
    },
  };
}

/**
 * Compiles one schema (JSON Schema 2020-12, strict). Patterns run on a linear-time engine, formats
 * are a fixed list, references stay inside the schema. `name` appears in the rule of its findings.
 * Throws `ScannerError` SCAN_SCHEMA_INVALID.
 */
export function compileSchema(name: string, schema: JsonObject): SchemaCheck {
  const validate = compile(name, schema);
  return (value) => {
    if (validate(value)) return [];
    const [error] = validate.errors ?? [];
    const path = error === undefined ? '' : declaredPath(error.instancePath, schema);
    return [finding('SCAN_SCHEMA_VIOLATION', `schema/${name}#${error?.keyword ?? ''}`, path)];
  };
}

function compile(name: string, schema: JsonObject): ValidateFunction {
  refuseUnsafe(name, schema, 0);
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: false,
    validateSchema: false,
    validateFormats: true,
    messages: false,
    ownProperties: true,
    code: { regExp: linearRegExp },
  });
  ajvFormats.default(ajv, { mode: 'full', formats: [...formats] });
  try {
    checkAgainstMetaSchema(schema);
    return ajv.compile(schema);
  } catch (error) {
    throw invalid(`Schema ${name} does not compile.`, error);
  }
}

/** Refuses what a validator would fetch, run later, or take quadratic time for. */
function refuseUnsafe(name: string, schema: JsonValue, depth: number): void {
  if (depth > schemaDepthMax) throw invalid(`Schema ${name} nests too deeply.`);
  if (typeof schema !== 'object' || schema === null) return;
  if (isJsonObject(schema)) {
    const { $ref, $dynamicRef, $async, uniqueItems, maxItems } = schema;
    for (const reference of [$ref, $dynamicRef]) {
      if (typeof reference === 'string' && !reference.startsWith('#')) {
        throw invalid(`Schema ${name} refers to another document.`);
      }
    }
    if ($async === true) throw invalid(`Schema ${name} is asynchronous.`);
    if (uniqueItems === true && !(typeof maxItems === 'number' && maxItems <= uniqueItemsMax)) {
      throw invalid(`Schema ${name} has uniqueItems without maxItems <= ${uniqueItemsMax}.`);
    }
  }
  for (const member of Object.values(schema)) refuseUnsafe(name, member, depth + 1);
}

/** True when no string can be an instance, as far as the root of the schema tells. */
function promisesStructure(schema: JsonObject): boolean {
  const { type } = schema;
  if (typeof type === 'string') return type === 'object' || type === 'array';
  if (Array.isArray(type)) return !type.includes('string');
  return structuralKeywords.some((keyword) => Object.hasOwn(schema, keyword));
}

/** Keeps the segments that the schema itself names and array indices; hides the others. */
function declaredPath(instancePath: string, schema: JsonObject): string {
  const names = new Set<string>();
  collectNames(schema, names);
  return instancePath
    .split('/')
    .map((segment) => (segment === '' || isIndex(segment) || names.has(segment) ? segment : '*'))
    .join('/');
}

function isIndex(segment: string): boolean {
  return /^[0-9]{1,6}$/.test(segment);
}

function collectNames(schema: JsonValue, names: Set<string>): void {
  if (typeof schema !== 'object' || schema === null) return;
  if (isJsonObject(schema) && isJsonObject(schema['properties'])) {
    for (const name of Object.keys(schema['properties'])) names.add(name);
  }
  for (const member of Object.values(schema)) collectNames(member, names);
}

function invalid(message: string, cause?: unknown): ScannerError {
  return new ScannerError('SCAN_SCHEMA_INVALID', message, { cause });
}
