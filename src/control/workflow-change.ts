// SPDX-License-Identifier: Apache-2.0
import { nameOf, type WorkflowChange } from '../mesh/workflow-change.ts';
import type { JsonObject } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';

/** A change that an orchestrator proposed, from its proposal to its end. */
export type ProposedChange = {
  /** A ULID of the node's. */
  readonly id: string;
  readonly agent: string;
  readonly spiffeId: string;
  /** The agent's own name for it: asked again with it, it is the same change. */
  readonly key: string;
  readonly task: string;
  /** The mandate that the agent holds in the task; null where it has none. */
  readonly mandate: string | null;
  readonly change: WorkflowChange;
  /** Digests of the mesh that it was made for, and of the one that it makes. */
  readonly base: string;
  readonly digest: string;
  readonly proposedAt: number;
  readonly expiresAt: number;
  readonly state: 'held' | 'effective' | 'refused';
  /** Why it was refused. */
  readonly code: string | null;
  /** The version of the policy that it made. */
  readonly version: number | null;
  /** Whether a person had to release it. */
  readonly waits: boolean;
};

/** Keeps proposed changes. `save` resolves when the change survives `kill -9`. */
export interface WorkflowChangeStore {
  get(id: string): ProposedChange | null;
  byKey(spiffeId: string, key: string): ProposedChange | null;
  /** Newest first. */
  latest(limit: number): readonly ProposedChange[];
  held(): readonly ProposedChange[];
  save(change: ProposedChange): Promise<void>;
  /** Forgets changes that were proposed before and wait no more. */
  prune(beforeMs: number): Promise<void>;
}

export function proposedEntry(proposed: ProposedChange): EntryDraft {
  return {
    ...entryOf(proposed, 'workflow.proposed', proposed.proposedAt),
    outcome: proposed.waits ? 'ESCALATE' : 'GO',
    code: proposed.waits ? 'CONTROL_WORKFLOW_WAITS' : null,
  };
}

/** `actor`: `node`, or the operator who denied it. */
export function refusedEntry(
  proposed: ProposedChange,
  code: string,
  actor: string,
  nowMs: number,
): EntryDraft {
  return { ...entryOf(proposed, 'workflow.refused', nowMs), actor, outcome: 'NO-GO', code };
}

/** People were not told that it waits; it waits all the same. */
export function untoldEntry(proposed: ProposedChange, approver: string, nowMs: number): EntryDraft {
  const { id, task } = proposed;
  return {
    kind: 'indicator.raised',
    id: `workflow.${id}.untold`,
    at: nowMs,
    actor: 'node',
    task,
    message: null,
    causedBy: [`workflow.${id}.proposed`],
    outcome: null,
    code: 'OVERSIGHT_APPROVER_FAILED',
    verdicts: [],
    tookUs: null,
    detail: { approver, change: id },
  };
}

function entryOf(
  { id, agent, spiffeId, task, mandate, change, base, digest }: ProposedChange,
  kind: 'workflow.proposed' | 'workflow.refused',
  at: number,
): EntryDraft {
  const { workflow, open, close } = change;
  const detail: JsonObject = {
    change: id, agent, by: spiffeId, workflow, base, digest,
    ...(mandate === null ? {} : { mandate }),
    opens: open.map(nameOf), closes: close.map(nameOf),
  };
  return {
    kind,
    id: `workflow.${id}.${kind === 'workflow.proposed' ? 'proposed' : 'refused'}`,
    at,
    actor: 'node',
    task,
    message: null,
    causedBy: kind === 'workflow.proposed' ? [] : [`workflow.${id}.proposed`],
    outcome: null,
    code: null,
    verdicts: [],
    tookUs: null,
    detail,
  };
}
