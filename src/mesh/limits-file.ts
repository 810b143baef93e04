// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** The section `limits` of a mesh file: everything that grows has a bound. */
export const limitsShape = z.strictObject({
  message_bytes_max: z.int().min(1024).max(524_288).default(262_144),
  depth_max: z.int().min(4).max(128).default(32),
  messages_per_second: z.int().min(1).max(1_000_000).default(1000),
  message_burst: z.int().min(1).max(1_000_000).default(2000),
  message_lifetime_ms: z.int().min(1000).max(3_600_000).default(60_000),
  clock_skew_ms: z.int().min(0).max(600_000).default(30_000),
  pending_approvals_max: z.int().min(1).max(16).default(3),
  approval_timeout_ms: z.int().min(1000).max(604_800_000).default(900_000),
  queued_messages_max: z.int().min(1).max(1_000_000).default(10_000),
  request_hops_max: z.int().min(0).max(32).default(8)
    .describe('Hand-offs between the originator and an action request.'),
  contagion_generations_max: z.int().min(2).max(32).default(4)
    .describe('Times that an untrusted text may be passed on before it counts as spreading.'),
  contagion_reach_max: z.int().min(3).max(1000).default(8)
    .describe('Agents that it may reach before it counts as spreading; both together stop it.'),
  contagion_window_ms: z.int().min(60_000).max(604_800_000).default(86_400_000)
    .describe('How long a text is followed after it first appeared.'),
  fan_out_max: z.int().min(2).max(10_000).default(25)
    .describe('Recipients of one agent in an hour; more is put on record as a sign.'),
  refusal_grid_ms: z.int().min(0).max(1000).default(10)
    .describe('An agent hears a refusal at a whole multiple of this after it asked; 0 for at once.'),
});
