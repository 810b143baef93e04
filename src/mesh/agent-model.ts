// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Classification } from '../message/envelope.ts';

const price = z.number().min(0).max(1_000_000);
const money = z.number().min(0).max(1_000_000);
const tokens = z.int().min(0).max(1_000_000_000_000);

/** The key `model` of an agent in the mesh file. */
export const agentModelShape = z.strictObject({
  url: z.string().min(1).max(2048),
  name: z.string().min(1).max(256),
  credential_file: z.string().min(1).max(1024).optional(),
  credential_env: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/).optional(),
  clearance: z.enum(['public', 'internal', 'confidential', 'restricted']).default('internal'),
  price: z.strictObject({
    per_call: price.default(0),
    per_million_input: price.default(0),
    per_million_output: price.default(0),
  }).prefault({}),
  context_tokens: z.int().min(1_024).max(100_000_000).optional(),
  output_tokens_max: z.int().min(1).max(1_000_000).default(4096),
  timeout_ms: z.int().min(10).max(3_600_000).default(120_000),
  budget: z.strictObject({
    money_per_hour: money.default(10),
    money_per_task: money.default(5),
    calls_per_hour: z.int().min(0).max(1_000_000).default(1000),
    tokens_per_hour: tokens.default(10_000_000),
    tokens_per_task: tokens.default(5_000_000),
  }).prefault({}),
});

/** The model that an agent thinks with, reached through its sidecar only. */
export type AgentModelSettings = {
  /** Base address of an OpenAI-compatible endpoint. */
  readonly url: string;
  readonly name: string;
  readonly credential:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'env'; readonly name: string }
    | null;
  /** Most sensitive data that may go to it. */
  readonly clearance: Classification;
  /** In the unit of the budget. */
  readonly price: {
    readonly perCall: number;
    readonly perMillionInput: number;
    readonly perMillionOutput: number;
  };
  /** What the model takes at most, so that it is seen how full it is; null: nobody said. */
  readonly contextTokens?: number | null;
  readonly outputTokensMax: number;
  readonly timeoutMs: number;
  readonly budget: {
    readonly moneyPerHour: number;
    readonly moneyPerTask: number;
    readonly callsPerHour: number;
    /** Of questions and answers together; absent or null: bounded by money and calls alone. */
    readonly tokensPerHour?: number | null;
    readonly tokensPerTask?: number | null;
  };
};
