// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import {
  givenMax, tokenLengthMax, tokensMax, whereMax, type GivenItem, type KnowledgeAsk,
} from '../knowledge/asks.ts';
import type { Label } from '../message/envelope.ts';
import { parseLabel } from '../message/envelope-parse.ts';
import { isJsonObject } from '../message/json.ts';

const ulid = z.string().length(26);
const incarnation = z.string().min(1).max(160);
const limit = z.int().min(1).max(givenMax);
const text = z.string().max(1024);
const principals = z.array(z.string().min(1).max(160)).max(32);

const label = z.json().transform((value, context): Label => {
  const parsed = isJsonObject(value) ? parseLabel(value) : null;
  if (parsed === null) context.addIssue('No label.');
  return parsed ?? z.NEVER;
});

const asked = { id: ulid, task: ulid, incarnation };

/** What a sidecar asks about knowledge and memory. */
export const knowledgeAsk: z.ZodType<KnowledgeAsk> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('remember'),
    ...asked,
    value: z.json(),
    label,
    causes: z.array(z.string().min(1).max(160)).max(256),
    principals,
    mandate: z.string().max(64).nullable(),
    suspect: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('recall'),
    ...asked,
    where: z.record(z.string().max(64), z.json()).refine((where) => Object.keys(where).length <= whereMax),
    limit,
  }),
  z.strictObject({
    kind: z.literal('query'),
    ...asked,
    source: z.string().min(1).max(63),
    text: z.string().min(1).max(4096),
    limit,
  }),
  z.strictObject({
    kind: z.literal('tokenise'),
    ...asked,
    values: z.array(z.string().min(1).max(tokenLengthMax)).min(1).max(tokensMax),
  }),
  z.strictObject({
    kind: z.literal('reveal'),
    ...asked,
    tokens: z.array(z.string().max(64)).min(1).max(tokensMax),
  }),
]);

export const givenItem: z.ZodType<GivenItem> = z.strictObject({
  id: ulid,
  value: z.json(),
  label,
  origin: text,
  document: text.nullable(),
  part: z.int().min(0),
  writtenAt: z.int().min(0),
  weight: z.number(),
  principals,
});
