// SPDX-License-Identifier: Apache-2.0
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { checkAgainstMetaSchema } from '../mesh/meta-schema.ts';
import { closeSchema } from './closed-schema.ts';
import { ToolError } from './tool-error.ts';

export type Check = (value: JsonValue) => boolean;

/**
 * Compiles a schema for values that must match it exactly: unknown members are refused (G3). Throws
 * `ToolError` with `TOOL_SCHEMA_BROKEN` when the schema does not compile.
 */
export function compileClosed(schema: JsonObject): Check {
  return compile(closeSchema(schema));
}

/**
 * Compiles a tool's own input schema as it is; the tool decides whether unknown members are
 * allowed.
 */
export function compileInput(schema: JsonObject): Check {
  return compile(schema);
}

/** Compiled once per schema object; the objects belong to the mesh and live as long as it. */
export class ClosedSchemas {
  readonly #checks = new WeakMap<JsonObject, Check>();

  check(schema: JsonObject): Check {
    const known = this.#checks.get(schema);
    if (known !== undefined) return known;
    const check = compileClosed(schema);
    this.#checks.set(schema, check);
    return check;
  }
}

function compile(schema: JsonObject): Check {
  // A compiler of its own per schema: ids of one tool's schemas cannot resolve into another's.
  const compiler = new Ajv2020({ strict: false, ownProperties: true, validateSchema: false, logger: false });
  addFormats.default(compiler);
  try {
    const plain = withoutDialect(schema);
    checkAgainstMetaSchema(plain);
    const validate = compiler.compile(plain);
    return (value) => validate(value) === true;
  } catch (cause) {
    throw new ToolError('TOOL_SCHEMA_BROKEN', 'A schema does not compile.', { cause });
  }
}

/** Tools declare older dialects; what they use of them means the same in 2020-12. */
function withoutDialect(schema: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== '$schema'));
}
