// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { chainLengthMax } from '../mandate/mandate.ts';
import { mandateTerms } from './mandate-terms.ts';
import { changeRequests } from './change-workflow.ts';
import { knowledgeRequests } from './knowledge.ts';
import { spawnRequests } from './spawn.ts';

const name = z.string().min(1).max(63);
const schemaId = z.string().min(1).max(68);
const ulid = z.string().length(26);
const json = z.json();
const jsonObject = z.record(z.string(), json);
const metadata = z.record(z.string().max(64), z.string().max(256));
const waitMs = z.int().min(0).max(60_000);
/** Of the agent's own tracing (W3C Trace Context): shown as a link; of another form, ignored. */
const traceparent = z.string().max(256).optional();

const epistemic = z.strictObject({
  confidence: z.number().min(0).max(1).nullable().default(null),
  assumptions: z.array(z.string().max(512)).max(32).default([]),
  unknowns: z.array(z.string().max(512)).max(32).default([]),
});

/** Shapes of what an agent may send to its sidecar; the OpenAPI document is made from them. */
export const agentRequests = {
  openSession: z.strictObject({ token: z.string().min(1).max(128) }),
  startTask: z.strictObject({
    to: name,
    schema: schemaId,
    prompt: jsonObject,
    domain: name.nullable().default(null),
    metadata: metadata.default({}),
    traceparent,
    mandate: mandateTerms,
  }),
  sendMessage: z.strictObject({
    to: name,
    type: z.enum(['data', 'instruction', 'claim']),
    schema: schemaId,
    payload: json,
    domain: name.nullable().default(null),
    task: ulid.nullable().default(null),
    inReplyTo: ulid.nullable().default(null),
    metadata: metadata.default({}),
    traceparent,
    epistemic: epistemic.nullable().default(null),
    mandate: mandateTerms,
  }),
  requestAction: z.strictObject({
    to: name,
    action: name,
    parameters: jsonObject,
    idempotencyKey: z.string().min(1).max(64),
    evidence: z.array(ulid).max(32).default([]),
    domain: name.nullable().default(null),
    task: ulid.nullable().default(null),
    waitMs: waitMs.default(30_000),
    traceparent,
  }),
  callTool: z.strictObject({
    tool: name,
    operation: name,
    arguments: jsonObject.default({}),
    task: ulid.nullable().default(null),
    idempotencyKey: z.string().min(1).max(64).nullable().default(null),
  }),
  takeMessages: z.strictObject({
    waitMs: waitMs.default(0),
    max: z.int().min(1).max(256).default(64),
    /** Messages of earlier answers that were dealt with, in the same breath. */
    acknowledge: z.array(ulid).max(256).default([]),
  }),
  acknowledge: z.strictObject({ ids: z.array(ulid).max(256) }),
  ...spawnRequests,
  ...changeRequests,
  ...knowledgeRequests,
  endTask: z.strictObject({ task: ulid }),
  /** Of a chat completion: members that are not named here do not reach the model. */
  complete: z.object({
    model: z.string().max(256).optional(),
    messages: z.array(jsonObject).min(1).max(4096),
    stream: z.boolean().optional(),
    stream_options: z.object({ include_usage: z.boolean().optional() }).optional(),
    n: z.literal(1).optional(),
    max_tokens: z.int().min(1).max(1_000_000).optional(),
    temperature: z.number().optional(),
    top_p: z.number().optional(),
    seed: z.int().optional(),
    stop: json.optional(),
    tools: z.array(json).max(256).optional(),
    tool_choice: json.optional(),
    parallel_tool_calls: z.boolean().optional(),
    response_format: json.optional(),
    reasoning_effort: z.string().max(32).optional(),
    metadata: z.object({ task: ulid.optional() }).optional(),
  }),
  holdMandate: z.strictObject({ chain: z.string().min(1).max(chainLengthMax) }),
};

/** What the agent asked, after its shape was checked. */
export type AgentRequests = {
  readonly [name in keyof typeof agentRequests]: z.infer<(typeof agentRequests)[name]>;
};
