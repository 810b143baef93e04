// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Loading } from './loading.ts';
import type { MessageSchema } from './message-schema.ts';
import type { Path } from './yaml-source.ts';

const schemaId = z.string().regex(/^[a-z][a-z0-9-]{0,62}\/[1-9][0-9]{0,3}$/);
const pointer = z.string().regex(/^\/[!-~]{1,128}$/).describe('JSON Pointer into a payload.');

/** What an instruction of a schema is to be answered with (EP-07). */
export const expectedAnswerShape = z.strictObject({
  schemas: z.array(schemaId).min(1).max(16),
  same: z.record(pointer, pointer).default({})
    .describe('Member of the instruction: member of the answer that has the same value.'),
  every: z.record(pointer, pointer).default({})
    .describe('List of the instruction: list of the answer that has every item of it.'),
});

/** Pointers of the instruction, each with the one of the answer that it is held against. */
export type ExpectedAnswer = {
  readonly schemas: readonly string[];
  readonly same: ReadonlyMap<string, string>;
  readonly every: ReadonlyMap<string, string>;
};

/** Members without which an instruction is unclear (PG-1.6). */
export const unclearWithoutShape = z.array(pointer).max(16).default([])
  .describe('Members without which an instruction is unclear.');

type Given = {
  readonly type: MessageSchema['type'];
  readonly answer?: z.output<typeof expectedAnswerShape> | undefined;
  readonly unclear_without: readonly string[];
};

/** What a message schema says of its answers and of its clarity; both are of instructions only. */
export function answeredBy(
  loading: Loading,
  { type, answer, unclear_without: unclearWithout }: Given,
  path: Path,
): Pick<MessageSchema, 'answer' | 'unclearWithout'> {
  const says = answer !== undefined || unclearWithout.length > 0;
  if (says && type !== 'instruction') loading.report('MESH_ANSWER_TYPE', path);
  return {
    ...(answer === undefined ? {} : {
      answer: {
        schemas: answer.schemas,
        same: new Map(Object.entries(answer.same)),
        every: new Map(Object.entries(answer.every)),
      },
    }),
    ...(unclearWithout.length === 0 ? {} : { unclearWithout }),
  };
}
