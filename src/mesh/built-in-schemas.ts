// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { JsonObject } from '../message/json.ts';
import type { MessageSchema } from './mesh.ts';

const draft = 'https://json-schema.org/draft/2020-12/schema';
const idempotencyKey: JsonObject = { type: 'string', minLength: 1, maxLength: 64 };
const actionName: JsonObject = { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,62}$' };

/** What an action request and its outcome look like before an action's own schemas apply. */
export const builtInSchemas: ReadonlyMap<string, MessageSchema> = new Map([
  [actionRequestSchema, {
    id: actionRequestSchema,
    type: 'instruction',
    schema: {
      $schema: draft,
      type: 'object',
      additionalProperties: false,
      required: ['action', 'parameters', 'idempotencyKey', 'evidence'],
      properties: {
        action: actionName,
        parameters: { type: 'object' },
        idempotencyKey,
        evidence: {
          type: 'array',
          maxItems: 64,
          items: { type: 'string', pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' },
        },
      },
    },
  }],
  [actionOutcomeSchema, {
    id: actionOutcomeSchema,
    type: 'data',
    schema: {
      $schema: draft,
      type: 'object',
      additionalProperties: false,
      required: ['action', 'idempotencyKey', 'status', 'code', 'result'],
      properties: {
        action: actionName,
        idempotencyKey,
        status: { enum: ['DONE', 'REFUSED', 'HELD', 'IN-DOUBT', 'FAILED'] },
        code: { type: ['string', 'null'], pattern: '^[A-Z_]{1,32}$' },
        result: {},
      },
    },
  }],
]);
