// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const text = z.string().min(1).max(4096);
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
/** The framework writes criteria as free strings; an id lets coverage and verdicts refer to one. */
const criterion = z.union([text, z.strictObject({ id: name, text })]);
const names = z.array(z.string().min(1).max(192)).max(256);

const objective = z.strictObject({
  goal: text,
  success_criteria: z.array(criterion).default([]),
  failure_criteria: z.array(criterion).default([]),
});

const parameters = z.strictObject({
  permitted_tools: names.default([]).describe('`tool` or `tool.operation`.'),
  permitted_actions: names.default([]).describe('Actions of the mesh file; absent means none.'),
  prohibited_actions: names.default([]).describe('Wins over permitted_actions.'),
  action_order: z.array(z.strictObject({
    action: name,
    after: z.array(name).min(1).max(16),
  })).max(64).default([]).describe('Within a task the action waits until those after which it comes are done.'),
  data_scope: z.union([z.string().min(1), names]).default([]).describe('Data domains.'),
  time_boundary: z.union([text, z.strictObject({
    max_duration_seconds: z.number().positive().optional(),
    not_before: z.iso.datetime().optional(),
    not_after: z.iso.datetime().optional(),
  })]).optional(),
  output_constraints: z.strictObject({
    max_confidence_without_source: z.number().min(0).max(1).optional(),
    required_fields: z.array(text).optional(),
    prohibited_content: z.array(text).optional(),
  }).optional(),
});

const authority = z.strictObject({
  can_delegate: z.boolean().default(false),
  max_delegation_depth: z.int().min(0).max(32).default(0),
  can_create_agents: z.boolean().default(false),
  can_modify_workflow: z.boolean().default(false),
});

/**
 * Objective Intent Specification of one agent (framework facts a1, OI-1.1): written by a developer,
 * versioned, read-only in a run. The spelling `oisspec_*` is the framework's.
 */
export const oispecFileShape = z.strictObject({
  oisspec_version: z.string().min(1).max(32).default('1.0'),
  oisspec_id: z.string().min(1).max(128),
  agent_id: name,
  agent_role: z.enum(['task', 'orchestrator', 'evaluator', 'observer']).default('task'),
  created_by: text,
  created_at: z.string().min(1).max(64).optional(),
  version: z.string().min(1).max(64),
  version_history: z.array(z.string().min(1).max(128)).default([]),
  objective,
  parameters,
  authority: authority.default({
    can_delegate: false,
    max_delegation_depth: 0,
    can_create_agents: false,
    can_modify_workflow: false,
  }),
  risk_classification: z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  evaluation_frequency: z.enum(['every_action', 'per_phase', 'post_execution'])
    .default('every_action'),
  oisspec_hash: z.string().regex(/^([A-Za-z0-9_-]{43}|[0-9a-f]{64})$/).optional()
    .describe('SHA-256 of the canonical JSON of everything else, base64url or hex.'),
});

export type OISpecFile = z.output<typeof oispecFileShape>;
