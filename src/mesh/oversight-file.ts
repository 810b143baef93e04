// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const deadlineMs = z.int().min(1000).max(604_800_000);
const scalar = z.union([z.string().max(256), z.number(), z.boolean()]);

const standingShape = z.strictObject({
  id: name,
  action: name,
  requester: name,
  where: z.record(z.string().min(1).max(128), z.union([
    z.strictObject({ at_most: z.number() }),
    z.strictObject({ one_of: z.array(scalar).min(1).max(64) }),
  ])).refine((where) => Object.keys(where).length > 0, 'name what the approval is narrowed to')
    .describe('Parameters that must be there and within this; no parameter is free.'),
  until: z.iso.datetime().describe('When it ends.'),
  by: name,
  reason: z.string().min(3).max(1024),
});

const webhookShape = z.strictObject({
  name,
  url: z.url({ protocol: /^https?$/ }).max(1024).optional(),
  url_file: z.string().min(1).max(1024).optional()
    .describe('A file, mode 0600, whose first line is the address; for addresses that are secrets.'),
  kind: z.enum(['slack', 'json']).default('json'),
}).refine((hook) => (hook.url === undefined) !== (hook.url_file === undefined), 'one of url and url_file');

/** People: how long they have, what keeps them awake, who is told, what needs no new question. */
export const oversightShape = z.strictObject({
  deadlines_ms: z.strictObject({
    LOW: deadlineMs.optional(),
    MEDIUM: deadlineMs.optional(),
    HIGH: deadlineMs.optional(),
    CRITICAL: deadlineMs.optional(),
  }).default({}),
  probes_per_day: z.int().min(0).max(96).default(0),
  standing: z.array(standingShape).max(64).default([]),
  webhooks: z.array(webhookShape).max(8).default([]),
});

export type OversightFile = z.infer<typeof oversightShape>;
