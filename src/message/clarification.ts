// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Schema of what an agent asks back about an instruction (PG-2.10); message type: data. */
export const clarificationSchema = 'clarification/1';
/** Schema of the answer of whoever gave the instruction; message type: instruction. */
export const clarificationAnswerSchema = 'clarification-answer/1';

/** Why an agent cannot tell what is wanted. */
export const clarificationReasons = ['missing', 'contradictory', 'ambiguous', 'out-of-scope'] as const;

const dialect = 'https://json-schema.org/draft/2020-12/schema';
const pointer = { type: 'string', pattern: '^/[A-Za-z0-9_./-]{1,64}$' };

export const clarificationJsonSchema: JsonObject = {
  $schema: dialect,
  title: 'Clarification',
  description: 'What an agent asks back about an instruction, instead of guessing. Message type: data.',
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: {
    reason: { enum: [...clarificationReasons] },
    field: { ...pointer, description: 'Member of the instruction that it is about.' },
    choices: {
      type: 'array', maxItems: 16, items: { type: ['string', 'number', 'boolean'], maxLength: 128 },
      description: 'What it may mean, as far as the agent sees.',
    },
    question: { type: 'string', maxLength: 1000 },
  },
};

export const clarificationAnswerJsonSchema: JsonObject = {
  $schema: dialect,
  title: 'Clarification answer',
  description: 'What was meant, by whoever gave the instruction. Message type: instruction.',
  type: 'object',
  additionalProperties: false,
  required: ['answer'],
  properties: {
    answer: { type: ['string', 'number', 'boolean'], maxLength: 1000 },
    field: { ...pointer, description: 'Member of the instruction that it is about.' },
  },
};

/** True for an answer that says something: one that is empty leaves the question open. */
export function answersSomething(payload: JsonValue): boolean {
  const answer = isJsonObject(payload) ? payload['answer'] : null;
  return typeof answer === 'string' ? answer.trim() !== '' : typeof answer === 'number' || typeof answer === 'boolean';
}
