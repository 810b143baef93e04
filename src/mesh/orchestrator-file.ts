// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);

/** The right to create agents, and what they are made of. */
export const spawnShape = z.strictObject({
  templates: z.array(name).min(1).max(64),
  children_max: z.int().min(1).max(1000).default(1),
  depth_max: z.int().min(1).max(7).default(1),
  tools: z.array(name).max(64).default([]),
  approval: z.enum(['policy', 'required']).default('policy'),
});

export const templateShape = z.strictObject({
  instances_max: z.int().min(1).max(1000).default(1),
  lifetime_ms: z.int().min(1000).max(3_600_000).default(600_000),
});
