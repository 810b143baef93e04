// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { judgeSubjectNames } from './judge-file.ts';
import { workflowPaceShape } from './pace-settings.ts';

const text = z.string().min(1).max(4096);
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const covering = z.string()
  .regex(/^(judge\/[a-z_]{1,32}|[a-z][a-z0-9_-]{0,62})\/[a-z][a-z0-9_-]{0,62}$/);

const schema = z.string().min(1).max(68);
const milestone = z.union([
  z.strictObject({ schema, from: name.optional() }),
  z.strictObject({ action: name }),
]);

const criterion = z.union([text, z.strictObject({
  id: name,
  text,
  covered_by: z.array(covering).max(64).default([])
    .describe('Criteria that answer for it: agent/criterion, or judge/subject/criterion.'),
  shown_by: z.array(milestone).max(16).default([])
    .describe('What shows that it is met, or for a failure criterion that it happened.'),
})]);

/** One workflow in the mesh file; a path alone is that of its specification. */
export const workflowEntryShape = z.union([z.string().min(1).max(1024), z.strictObject({
  oispec: z.string().min(1).max(1024).optional()
    .describe('File of its specification: criteria, phases, sums, conflicts.'),
  agents: z.array(name).min(1).max(64).optional()
    .describe('Who takes part, where no specification says it: agents, or templates of them.'),
  pace: workflowPaceShape.prefault({}),
})]);

export type WorkflowEntry = z.output<typeof workflowEntryShape>;

/**
 * Objective Intent Specification of a workflow (framework facts a1, OI-1.5): what agents are to reach
 * together, with who answers for each part of it. Read-only in a run, as those of agents are.
 */
export const workflowFileShape = z.strictObject({
  oisspec_version: z.string().min(1).max(32).default('1.0'),
  workflow_id: z.string().min(1).max(128),
  workflow_name: text.optional(),
  created_by: text,
  created_at: z.string().min(1).max(64).optional(),
  version: z.string().min(1).max(64),
  version_history: z.array(z.string().min(1).max(128)).default([]),
  objective: z.strictObject({
    goal: text,
    aggregate_success_criteria: z.array(criterion).max(64).default([]),
    aggregate_failure_criteria: z.array(criterion).max(64).default([]),
  }),
  phases: z.array(z.strictObject({
    id: name,
    ends_with: milestone,
    criteria: z.array(name).max(64).default([])
      .describe('Success criteria that have to be shown by its end.'),
    judged_by: z.array(z.enum(judgeSubjectNames)).max(5).default([])
      .describe('Judges who look at all of it once it has ended.'),
  })).max(16).default([]).describe('In their order; the workflow ends with the last one.'),
  sums: z.array(z.strictObject({
    id: name,
    of: z.enum(['calls', 'money', 'records']),
    actions: z.array(name).max(64).default([]).describe('All actions when absent.'),
    at_most: z.number().nonnegative(),
  })).max(16).default([]).describe('Highest sums over all actions of one task.'),
  conflicts: z.array(z.strictObject({
    id: name,
    between: z.array(milestone).min(2).max(8),
  })).max(16).default([]).describe('What may not all happen in one task.'),
  plan: z.array(z.strictObject({
    id: name,
    does: milestone,
    optional: z.boolean().default(false),
  })).max(64).default([]).describe('Its steps in their order; what departs from it waits for a person.'),
  agent_intents: z.array(name).min(1).max(256).describe('Agents that take part.'),
  oisspec_hash: z.string().regex(/^([A-Za-z0-9_-]{43}|[0-9a-f]{64})$/).optional()
    .describe('SHA-256 of the canonical JSON of everything else, base64url or hex.'),
});

export type MilestoneFile = z.output<typeof milestone>;
export type WorkflowFile = z.output<typeof workflowFileShape>;
