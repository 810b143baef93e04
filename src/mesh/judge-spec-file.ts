// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const text = z.string().min(1).max(4096);
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);

/** One labelled case: what a judge is asked, and what the right answer is. */
export const judgeCaseShape = z.strictObject({
  id: z.string().min(1).max(128).optional(),
  about: z.string().min(1).max(128),
  kind: z.enum(['action', 'message']).default('action'),
  risk: z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']).default('HIGH'),
  reversibility: z.string().max(64).nullable().default(null),
  content: z.json(),
  raised_by: z.array(z.string().max(64)).max(32).default([]),
  goal: z.string().max(4096).nullable().default(null),
  expected: z.enum(['GO', 'NO-GO']),
});

export type JudgeCaseFile = z.output<typeof judgeCaseShape>;

/**
 * Objective Intent Specification of a judge (framework facts a1, d): what it judges by, and the cases
 * that show whether it still does. Versioned, content-addressed, read-only in a run.
 */
export const judgeSpecShape = z.strictObject({
  oisspec_version: z.string().min(1).max(32).default('1.0'),
  oisspec_id: z.string().min(1).max(128),
  judge_subject: z.enum(['security', 'data_protection', 'compliance', 'fraud', 'intent']),
  agent_role: z.literal('evaluator').default('evaluator'),
  created_by: text,
  created_at: z.string().min(1).max(64).optional(),
  version: z.string().min(1).max(64),
  version_history: z.array(z.string().min(1).max(128)).default([]),
  objective: z.strictObject({
    goal: z.string().min(1).max(1024),
    criteria: z.array(z.strictObject({ id: name, text: z.string().min(1).max(1024) })).min(1).max(32),
  }),
  calibration: z.strictObject({
    every_ms: z.int().min(1000).max(604_800_000).default(3_600_000)
      .describe('Mean time between two cases; when exactly is drawn by chance.'),
    agreement_min: z.number().gt(0).max(1).default(0.9),
    window: z.int().min(1).max(1000).default(20)
      .describe('Newest cases that count for the agreement.'),
    cases: z.array(judgeCaseShape.extend({ id: name })).min(1).max(256),
  }).optional(),
  oisspec_hash: z.string().regex(/^([A-Za-z0-9_-]{43}|[0-9a-f]{64})$/).optional()
    .describe('SHA-256 of the canonical JSON of everything else, base64url or hex.'),
});

export type JudgeSpecFile = z.output<typeof judgeSpecShape>;
