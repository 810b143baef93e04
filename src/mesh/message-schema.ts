// SPDX-License-Identifier: Apache-2.0
import type { MessageType } from '../message/envelope.ts';
import type { JsonObject } from '../message/json.ts';
import type { ExpectedAnswer } from './expected-answer.ts';

/** What a message of one schema may be. */
export type MessageSchema = {
  readonly id: string;
  readonly type: MessageType;
  readonly schema: JsonObject;
  /** Members in which a person writes sentences: values inside them come from the prompt too. */
  readonly prose?: readonly string[];
  /** Of an instruction: what answers it. Absent: anything may. */
  readonly answer?: ExpectedAnswer;
  /** Of an instruction: members without which nobody can tell what is wanted. Absent is none. */
  readonly unclearWithout?: readonly string[];
};
