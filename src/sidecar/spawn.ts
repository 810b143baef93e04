// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { JsonObject } from '../message/json.ts';
import type { SpawnRequest } from '../wire/frame.ts';
import type { SidecarContext } from './context.ts';
import { deniedEntry } from './denied-entry.ts';
import type { AgentMemory } from './memory.ts';
import { leaseRefusal, ownRefusal } from './standing.ts';

const name = z.string().min(1).max(63);
const names = z.array(name).max(64).nullable().default(null);
const ulid = z.string().length(26);

/** Shapes of what a parent may send to its sidecar. */
export const spawnRequests = {
  spawn: z.strictObject({
    template: name,
    /** A task that the parent was handed; the child takes part in no other. */
    task: ulid,
    key: z.string().min(1).max(64),
    lifetimeMs: z.int().min(1).max(3_600_000).nullable().default(null),
    tools: names,
    requests: names,
    clearance: z.enum(['public', 'internal', 'confidential', 'restricted']).nullable().default(null),
  }),
  endChild: z.strictObject({ child: name.nullable().default(null), task: ulid.nullable().default(null) }),
};

export type SpawnOutcome =
  | { readonly state: 'running' | 'held'; readonly body: JsonObject }
  | { readonly state: 'refused'; readonly code: string };

/**
 * Asks the node for a child. What the agent has no right to is refused here, and is an indicator: an
 * orchestrator that was taken over tries it. Everything else is the node's to judge.
 */
export async function spawnChild(
  asked: z.output<typeof spawnRequests.spawn>,
  memory: AgentMemory,
  context: SidecarContext,
): Promise<SpawnOutcome> {
  const { agent, link } = context;
  const stopped = ownRefusal(context) ?? leaseRefusal('HIGH', context);
  if (stopped !== null) return { state: 'refused', code: stopped };
  if (agent.spawn?.templates.includes(asked.template) !== true) {
    await context.spool([deniedEntry('spawn', asked.template, memory, context)]);
    return { state: 'refused', code: 'SIDECAR_SPAWN_DENIED' };
  }
  if (memory.place(asked.task) === null) return { state: 'refused', code: 'SIDECAR_TASK_UNKNOWN' };
  const request: SpawnRequest = { ...asked, incarnation: memory.incarnation };
  const answer = await link.spawn(request);
  if ('code' in answer) return { state: 'refused', code: answer.code };
  const { child, endsAt } = answer;
  if (child !== null) return { state: 'running', body: { verdict: 'GO', code: null, child, endsAt } };
  const code = context.agentSees('CONTROL_SPAWN_WAITS');
  return { state: 'held', body: { verdict: 'ESCALATE', code, child, endsAt: null } };
}
