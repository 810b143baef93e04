// SPDX-License-Identifier: Apache-2.0
import { Ajv2020, type AnySchemaObject, type ErrorObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { checkAgainstMetaSchema } from './meta-schema.ts';
import type { Path } from './yaml-source.ts';

/** Where a value breaks its schema: a JSON Pointer into the value and the keyword that says so. */
export type SchemaBreach = { readonly path: string; readonly keyword: string };

/** A compiled schema; returns the first breach, or null when the value is valid. */
export type SchemaCheck = (value: JsonValue) => SchemaBreach | null;

export type CompiledSchema =
  | { readonly ok: true; readonly check: SchemaCheck }
  | { readonly ok: false; readonly path: Path; readonly reason: string };

/**
 * Compiles a JSON Schema (draft 2020-12) strictly: unknown keywords, unknown formats, references
 * outside the schema and look-around or back-references in patterns are refused. Patterns run on a
 * linear engine, so no value can make them slow (DESIGN 6.11).
 */
export function compileJsonSchema(schema: JsonObject): CompiledSchema {
  try {
    checkAgainstMetaSchema(schema);
    const validate = newCompiler().compile(schema as AnySchemaObject);
    const check = (value: JsonValue): SchemaBreach | null =>
      validate(value) ? null : breachOf(validate.errors?.[0]);
    return { ok: true, check };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it cannot be compiled';
    return { ok: false, path: pathOf(reason), reason: `The schema is refused: ${cut(reason)}.` };
  }
}

/** Of its own for each schema: two may carry one `$id`, and none is to be taken for the other. */
function newCompiler(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: false,
    ownProperties: true,
    validateSchema: false,
    logger: false,
    code: { regExp: linearRegExp },
  });
  addFormats.default(ajv);
  return ajv;
}

/**
 * Ajv asks for its expressions here. `toString` must name the pattern: ajv caches expressions by
 * it, and with the default text every pattern of a schema would be taken for the first one.
 */
const linearRegExp = Object.assign(
  (pattern: string): { test: (text: string) => boolean; toString: () => string } => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.matcher(text).find(), toString: () => `/${pattern}/u` };
  },
  { code: 'linearRegExp' },
);

function breachOf(error: ErrorObject | undefined): SchemaBreach {
  return { path: error?.instancePath ?? '', keyword: error?.keyword ?? 'unknown' };
}

/** Ajv names the broken part of a schema as `data/properties/x/...`. */
function pathOf(reason: string): Path {
  const pointer = /\bdata((?:\/[^\s/,]+)*)/.exec(reason)?.[1] ?? '';
  return pointer.split('/').slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function cut(reason: string): string {
  return reason.length > 200 ? `${reason.slice(0, 200)}…` : reason;
}
