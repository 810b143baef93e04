// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const filePath = z.string().min(1).max(1024);
const price = z.number().min(0).max(1_000_000);
const rate = z.number().min(0).max(1);

/** What a judge can be asked about (facts d): a closed list, each judged without sight of the others. */
export const judgeSubjectNames = [
  'security', 'data_protection', 'compliance', 'fraud', 'intent',
] as const;

const endpoint = z.strictObject({
  url: z.string().min(1).max(2048).optional(),
  structured: z.enum(['json_schema', 'json_object', 'none']).default('json_schema')
    .describe('How the endpoint is told the form of the answer; the answer is parsed strictly anyway.'),
});

const modelShape = z.strictObject({
  openai_compatible: endpoint.optional(),
  anthropic: endpoint.omit({ structured: true }).optional(),
  model: z.string().min(1).max(256).describe('Name of the model at its provider.'),
  family: name.describe('Models of one family are expected to err alike.'),
  credential_file: filePath.optional(),
  credential_env: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/).optional(),
  price: z.strictObject({
    per_call: price.default(0),
    per_million_input: price.default(0),
    per_million_output: price.default(0),
  }).prefault({}),
  output_tokens_max: z.int().min(16).max(8192).default(512),
});

const subjectShape = z.strictObject({
  model: name,
  backup: name.optional(),
  oispec: filePath.optional().describe('File of its specification: goal, criteria, calibration.'),
  second: name.optional().describe('A model of another family that has to agree.'),
  criteria: z.array(z.strictObject({ id: name, text: z.string().min(1).max(1024) })).max(32)
    .default([]),
});

/** The section `judge` of a mesh file. */
export const judgeShape = z.strictObject({
  models: z.record(name, modelShape).default({}),
  subjects: z.partialRecord(z.enum(judgeSubjectNames), subjectShape).default({}),
  precedence: z.array(z.enum(judgeSubjectNames)).max(5)
    .default(['compliance', 'data_protection', 'security', 'fraud', 'intent']),
  release: z.enum(['never', 'own_subject']).default('never'),
  hold_timeout_ms: z.int().min(10).max(600_000).default(5000),
  call_timeout_ms: z.int().min(10).max(600_000).default(4000),
  concurrency: z.int().min(1).max(64).default(4),
  queue_max: z.int().min(0).max(10_000).default(64),
  text_max: z.int().min(64).max(65_536).default(4000),
  budget: z.strictObject({
    money_per_hour: z.number().min(0).max(1_000_000).default(1),
    money_per_task: z.number().min(0).max(1_000_000).default(0.25),
    calls_per_hour: z.int().min(0).max(1_000_000).default(1000),
    tokens_per_hour: z.int().min(0).max(1_000_000_000_000).optional(),
    tokens_per_task: z.int().min(0).max(1_000_000_000_000).optional(),
  }).prefault({}),
  mesh_budget: z.strictObject({
    money_per_hour: z.number().min(0).max(1_000_000),
    calls_per_hour: z.int().min(0).max(1_000_000).default(10_000),
  }).optional(),
  breaker: z.strictObject({
    failures: z.int().min(1).max(1000).default(5),
    open_ms: z.int().min(1000).max(3_600_000).default(30_000),
  }).prefault({}),
  sampling: z.strictObject({
    low: rate.default(0.1), medium: rate.default(0.5), messages: rate.default(0.1),
    first: z.int().min(0).max(1000).default(10),
  }).prefault({}),
});

export type JudgeFile = z.output<typeof judgeShape>;
