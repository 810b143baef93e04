// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const name = z.string().min(1).max(63);
const schemaId = z.string().min(1).max(68);
const jsonObject = z.record(z.string(), z.json());
const amount = z.number();
const rate = z.strictObject({ count: z.int(), windowMs: z.int() });
const right = z.strictObject({
  right: z.enum(['perform', 'request']),
  action: name,
  executor: name.optional(),
  constraints: z.record(z.string().max(64), jsonObject).default({}),
  limits: z
    .strictObject({
      count: z.int().nullable().default(null),
      totals: z.record(z.string().max(64), amount).default({}),
      rates: z.array(rate).max(4).default([]),
    })
    .default({ count: null, totals: {}, rates: [] }),
});

/** Terms of the mandate that goes along; narrower than what it would be, or refused. */
export const mandateTerms = z
  .strictObject({
    rights: z.array(right).max(32).nullable().default(null),
    lifetimeMs: z.int().min(1).max(3_600_000).nullable().default(null),
    output: schemaId.nullable().default(null),
    maxDepth: z.int().min(1).max(3).nullable().default(null),
  })
  .nullable()
  .default(null);
