// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema, actionRequestSchema } from './action-request.ts';
import { actionOutcomeCodes, evidenceMax } from './action-request-parse.ts';
import { challengeAnswerJsonSchema, challengeAnswerSchema } from './challenge.ts';
import {
  clarificationAnswerJsonSchema, clarificationAnswerSchema, clarificationJsonSchema, clarificationSchema,
} from './clarification.ts';
import type { MessageType } from './envelope.ts';
import type { JsonObject } from './json.ts';

const dialect = 'https://json-schema.org/draft/2020-12/schema';
const name = { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,62}$' };
const key = { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,64}$' };
const ulid = { type: 'string', pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' };

/** JSON Schema of `ActionRequest`; published as `schema/action-request.json`. */
export const actionRequestJsonSchema: JsonObject = {
  $schema: dialect,
  title: 'Action request',
  description: "What a requester asks an executor's gate to do. Message type: instruction.",
  type: 'object',
  additionalProperties: false,
  required: ['action', 'parameters', 'idempotencyKey', 'evidence'],
  properties: {
    action: { ...name, description: 'An action of the mesh file.' },
    parameters: { type: 'object', description: "Checked against the action's own schema." },
    idempotencyKey: { ...key, description: 'The same key never runs the tool twice.' },
    evidence: {
      type: 'array',
      maxItems: evidenceMax,
      uniqueItems: true,
      items: ulid,
      description: 'Ids of messages that support the request.',
    },
  },
};

/** JSON Schema of `ActionOutcome`; published as `schema/action-outcome.json`. */
export const actionOutcomeJsonSchema: JsonObject = {
  $schema: dialect,
  title: 'Action outcome',
  description: 'What became of an action request. Message type: data.',
  type: 'object',
  additionalProperties: false,
  required: ['action', 'idempotencyKey', 'status', 'code', 'result'],
  properties: {
    action: { ...name, description: 'The action that was asked for.' },
    idempotencyKey: { ...key, description: 'The key of the request.' },
    status: { enum: ['DONE', 'REFUSED', 'HELD', 'IN-DOUBT', 'FAILED'] },
    code: {
      enum: [null, ...actionOutcomeCodes],
      description: 'Why it is not DONE; null when, and only when, it is.',
    },
    result: { description: "Fits the action's output schema; null unless DONE." },
  },
  oneOf: [
    { properties: { status: { const: 'DONE' }, code: { const: null } } },
    {
      properties: {
        status: { not: { const: 'DONE' } },
        code: { not: { const: null } },
        result: { const: null },
      },
    },
  ],
};

/** The message schemas that every mesh has, whatever its file declares. */
export const builtInSchemas: readonly {
  readonly id: string;
  readonly type: MessageType;
  readonly schema: JsonObject;
}[] = [
  { id: actionRequestSchema, type: 'instruction', schema: actionRequestJsonSchema },
  { id: actionOutcomeSchema, type: 'data', schema: actionOutcomeJsonSchema },
  { id: challengeAnswerSchema, type: 'claim', schema: challengeAnswerJsonSchema },
  { id: clarificationSchema, type: 'data', schema: clarificationJsonSchema },
  { id: clarificationAnswerSchema, type: 'instruction', schema: clarificationAnswerJsonSchema },
];
