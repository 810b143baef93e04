// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const dayMs = 86_400_000;

/** One entry of `knowledge`; see `KnowledgeSource`. */
export const knowledgeShape = z.strictObject({
  domain: name,
  classification: z.enum(['public', 'internal', 'confidential', 'restricted']).optional(),
  readers: z.array(name).min(1).max(1000),
  origin: z.string().min(1).max(1024),
  max_age_ms: z.int().min(1000).max(3650 * dayMs).default(90 * dayMs),
  over_fetch: z.int().min(1).max(20).default(3),
  flagged: z.enum(['withhold', 'serve']).default('withhold'),
  pieces_max: z.int().min(1).max(100_000).default(20_000),
});

/** The section `tokens`; see `TokenSettings`. */
export const tokensShape = z.strictObject({
  domain: name,
  members: z.array(z.string().min(2).max(128)).min(1).max(64),
  sees: z.array(name).max(1000).default([]),
});

/** The section `memory`; see `MemorySettings`. */
export const memoryShape = z.strictObject({
  domain: name,
  agents: z.array(name).min(1).max(1000),
  per: z.enum(['task', 'agent']).default('task'),
  index: z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/)).max(8).default([]),
  retention_ms: z.int().min(1000).max(3650 * dayMs).default(3 * dayMs),
  half_life_ms: z.int().min(1000).max(3650 * dayMs).default(dayMs),
  entries_max: z.int().min(1).max(1_000_000).default(10_000),
  analyse_every_ms: z.int().min(1000).max(dayMs).default(3_600_000),
});

/** The section `knowledge_store`; see `KnowledgeStoreSettings`. */
export const knowledgeStoreShape = z.strictObject({
  host: z.string().regex(/^(\/[^\0]{1,102}|[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?|::1)$/),
  port: z.int().min(1).max(65_535).default(5432),
  database: z.string().min(1).max(63),
  user: z.string().min(1).max(63),
  schema: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/).default('maso'),
  password_file: z.string().min(1).max(1024).optional(),
  password_env: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/).optional(),
  ca_file: z.string().min(1).max(1024).optional(),
});
