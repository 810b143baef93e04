// SPDX-License-Identifier: Apache-2.0
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../message/json.ts';

/**
 * Compiling the meta-schema takes longer than all schemas of a mesh, and a compiler of its own for each schema
 * would do it each time: it is done once in a process, and nothing of a schema stays behind here.
 */
let metaSchema: Ajv2020 | null = null;

/** Throws what the meta-schema of JSON Schema 2020-12, or the one that `$schema` names, has against a schema. */
export function checkAgainstMetaSchema(schema: JsonObject): void {
  metaSchema ??= new Ajv2020({ ownProperties: true, logger: false });
  metaSchema.validateSchema(schema, true);
}
