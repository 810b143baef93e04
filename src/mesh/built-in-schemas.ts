// SPDX-License-Identifier: Apache-2.0
import { builtInSchemas as messageSchemas } from '../message/action-schema.ts';
import type { MessageSchema } from './message-schema.ts';

/** What an action request and its outcome look like before an action's own schemas apply. */
export const builtInSchemas: ReadonlyMap<string, MessageSchema> = new Map(
  messageSchemas.map((schema) => [schema.id, schema]),
);
