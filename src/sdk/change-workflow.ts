// SPDX-License-Identifier: Apache-2.0
import type { Call } from './sidecar-http.ts';

export type WorkflowEdge = {
  readonly from: string;
  readonly to: string;
  /** Not needed where one edge leads from one to the other. */
  readonly domain?: string;
};

/** A workflow that the agent may change, with each edge that it may open and close. */
export type ChangeableWorkflow = {
  readonly workflow: string;
  readonly edges: readonly (Required<WorkflowEdge> & { readonly open: boolean })[];
};

export type ChangeOptions = {
  readonly open?: readonly WorkflowEdge[];
  readonly close?: readonly WorkflowEdge[];
  /** A task that the agent was handed. */
  readonly task: string;
  /** The same key asks about the same change. */
  readonly key: string;
  /** How long to wait while a person decides; default 0. */
  readonly waitMs?: number;
};

export type ChangedWorkflow = {
  /** `ESCALATE`: a person has to release it; ask again with the same key. */
  readonly verdict: 'GO' | 'NO-GO' | 'ESCALATE';
  readonly code: string | null;
  /** What people know the change by; null when it was refused. */
  readonly change: string | null;
  /** The version of the policy that it made. */
  readonly version: number | null;
};

type Ask = (call: Call) => Promise<{ readonly [member: string]: unknown }>;

const pollMs = 500;

export async function listWorkflows(call: Ask): Promise<readonly ChangeableWorkflow[]> {
  const { workflows } = await call({ path: '/v1/workflows', body: null });
  return Array.isArray(workflows) ? workflows : [];
}

export async function changeWorkflowThrough(
  call: Ask,
  workflow: string,
  { waitMs = 0, ...asked }: ChangeOptions,
): Promise<ChangedWorkflow> {
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const answer = await call({ path: '/v1/workflows/changes', body: { workflow, ...asked } });
    const changed: ChangedWorkflow = {
      verdict: (answer['verdict'] ?? 'NO-GO') as ChangedWorkflow['verdict'],
      code: (answer['code'] ?? null) as string | null,
      change: (answer['change'] ?? null) as string | null,
      version: (answer['version'] ?? null) as number | null,
    };
    if (changed.verdict !== 'ESCALATE' || performance.now() >= untilMs) return changed;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
