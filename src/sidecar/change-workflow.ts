// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { mandateId } from '../mandate/block.ts';
import { changeableEdges, changedEdgesMax, type EdgeName } from '../mesh/workflow-change.ts';
import type { JsonObject } from '../message/json.ts';
import type { ChangeRequest } from '../wire/frame.ts';
import type { SidecarContext } from './context.ts';
import { deniedEntry } from './denied-entry.ts';
import type { AgentMemory } from './memory.ts';
import { leaseRefusal, ownRefusal } from './standing.ts';

const name = z.string().min(1).max(63);
const edges = z.array(z.strictObject({
  from: name,
  to: name,
  /** Not needed where one edge leads from one to the other. */
  domain: name.nullable().default(null),
})).max(changedEdgesMax).default([]);

/** Shape of what an orchestrator may send to its sidecar. */
export const changeRequests = {
  changeWorkflow: z.strictObject({
    workflow: name,
    open: edges,
    close: edges,
    /** A task that the agent was handed: the change is on record as part of it. */
    task: z.string().length(26),
    key: z.string().min(1).max(64),
  }),
};

type Asked = z.output<typeof changeRequests.changeWorkflow>;

export type ChangeOutcome =
  | { readonly state: 'effective' | 'held'; readonly body: JsonObject }
  | { readonly state: 'refused'; readonly code: string };

/** Workflows that the agent may change, with every edge that it may open and close, as it is now. */
export function workflowsOf({ agent, mesh, policy }: SidecarContext): JsonObject {
  const all = changeableEdges(mesh);
  return {
    version: policy.version,
    workflows: (agent.mayChange ?? []).map((workflow) => ({
      workflow,
      edges: all.filter((edge) => edge.workflow === workflow)
        .map(({ from, to, domain, open }) => ({ from, to, domain, open: open === true })),
    })),
  };
}

/**
 * Proposes a change to the node. Without the right it is refused here, and is an indicator: an
 * orchestrator that was taken over tries it. What the agent has read is stamped, not declared.
 */
export async function proposeChange(
  asked: Asked,
  memory: AgentMemory,
  context: SidecarContext,
): Promise<ChangeOutcome> {
  const { agent, link, policy } = context;
  const stopped = ownRefusal(context) ?? leaseRefusal('HIGH', context);
  if (stopped !== null) return { state: 'refused', code: stopped };
  const { workflow, task, key } = asked;
  if (agent.mayChange?.includes(workflow) !== true) {
    await context.spool([deniedEntry('workflow', workflow, memory, context)]);
    return { state: 'refused', code: 'SIDECAR_WORKFLOW_DENIED' };
  }
  if (memory.place(task) === null) return { state: 'refused', code: 'SIDECAR_TASK_UNKNOWN' };
  const [open, close] = [asked.open, asked.close].map((list) => list.map((one) => named(one, context)));
  const held = memory.mandates(task).findLast(({ isOwn }) => isOwn);
  const request: ChangeRequest = {
    change: { workflow, open: open ?? [], close: close ?? [] },
    task,
    key,
    policyVersion: policy.version,
    integrity: memory.context.label.integrity,
    mandate: held === undefined ? null : mandateId(held.chain),
  };
  const answer = await link.changeWorkflow(request);
  if ('code' in answer) return { state: 'refused', code: answer.code };
  const { state, change, version } = answer;
  const waits = state === 'held';
  const code = waits ? context.agentSees('CONTROL_WORKFLOW_WAITS') : null;
  return { state, body: { verdict: waits ? 'ESCALATE' : 'GO', code, change, version } };
}

/** The domain is that of the only edge between the two; an edge that is not there is refused later. */
function named(
  { from, to, domain }: Asked['open'][number],
  { mesh }: SidecarContext,
): EdgeName {
  if (domain !== null) return { from, to, domain };
  const found = changeableEdges(mesh).filter((edge) => edge.from === from && edge.to === to);
  return { from, to, domain: found.length === 1 ? (found[0]?.domain ?? '') : '' };
}
