// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Schema of a challenger's answer; message type: claim. */
export const challengeAnswerSchema = 'challenge-answer/1';

/** What a challenger says of the newest claim of a task (PG-3.5). */
export type Standing = (typeof standings)[number];
export const standings = ['stands', 'doubtful', 'falls'] as const;

export const challengeAnswerJsonSchema: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Challenge answer',
  description: 'What a challenger says of the newest claim of a task. Message type: claim.',
  type: 'object',
  additionalProperties: false,
  required: ['standing'],
  properties: { standing: { enum: [...standings] } },
};

/** Null for a payload that says nothing of the kind: it is no answer. */
export function standingOf(payload: JsonValue): Standing | null {
  const said = isJsonObject(payload) ? payload['standing'] : null;
  return standings.find((one) => one === said) ?? null;
}
