// SPDX-License-Identifier: Apache-2.0
import type { Lineage } from '../identity/svid-statement.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Grantable } from './spawn-request.ts';

/** A spawned agent, from its grant to its end. */
export type Child = {
  /** The instance part of its SPIFFE id; unique for ever. */
  readonly instance: string;
  /** Its name, one of those of the template; free for another one after its end. */
  readonly name: string;
  readonly template: string;
  readonly spiffeId: string;
  readonly lineage: Lineage;
  readonly grantable: Grantable;
  /** The parent's own name for it. */
  readonly key: string;
  /** Run of the parent's process that asked; null where an operator did. */
  readonly incarnation: string | null;
  readonly by: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly reason: ChildEnd | null;
  /** True once it is revoked and its end is on record. */
  readonly settled: boolean;
};

export type ChildEnd =
  | 'PROCESS_ENDED'
  | 'ENDED_BY_PARENT'
  | 'TASK_ENDED'
  | 'TIME_OVER'
  | 'PARENT_ENDED'
  | 'PARENT_GONE'
  | 'PARENT_REVOKED'
  | 'REVOKED'
  | 'NOT_STARTED'
  | 'NODE_RESTARTED';

/** Ends that mean that somebody is not to be trusted: cut off first, stopped afterwards. */
export const distrusted: ReadonlySet<ChildEnd> = new Set<ChildEnd>([
  'PARENT_REVOKED', 'REVOKED', 'PARENT_GONE', 'TIME_OVER',
]);

/** Keeps spawned agents. `save` resolves when the child survives `kill -9`. */
export interface ChildStore {
  /** Those that have not ended, and those whose end is not settled. */
  unsettled(): readonly Child[];
  byKey(parent: string, key: string): Child | null;
  save(child: Child): Promise<void>;
  /** Forgets children that ended before. */
  prune(beforeMs: number): Promise<void>;
}

/** Runs the sidecars of spawned agents. */
export interface ChildHost {
  /** Resolves when the sidecar serves; rejects when it does not. State of an earlier one is gone. */
  start(name: string): Promise<void>;
  /** Resolves when sidecar and agent process are gone; at once where there is none. */
  stop(name: string): Promise<void>;
}

export function parentOf({ lineage }: Pick<Child, 'lineage'>): string {
  return lineage.ancestors.at(-1) ?? '';
}

export function spawnedEntry(child: Child): EntryDraft {
  const { lineage, name, template, spiffeId, by, startedAt } = child;
  return {
    ...childEntry(child, 'agent.spawned', startedAt),
    outcome: 'GO',
    detail: {
      agent: name,
      template,
      spiffeId,
      by,
      parent: parentOf(child),
      ancestors: [...lineage.ancestors],
      tools: [...lineage.scope.tools],
      requests: [...lineage.scope.requests],
      clearance: lineage.scope.clearance,
      depthLeft: lineage.depthLeft,
      endsAt: lineage.endsAt,
    },
  };
}

export function endedEntry(child: Child): EntryDraft {
  const { name, template, spiffeId, reason, endedAt } = child;
  return {
    ...childEntry(child, 'agent.ended', endedAt ?? child.startedAt),
    causedBy: [`agent.spawned.${child.instance}`],
    detail: { agent: name, template, spiffeId, parent: parentOf(child), reason },
  };
}

function childEntry(child: Child, kind: 'agent.spawned' | 'agent.ended', at: number): EntryDraft {
  return {
    kind,
    id: `${kind}.${child.instance}`,
    at,
    actor: 'node',
    task: child.lineage.task,
    message: null,
    causedBy: [],
    outcome: null,
    code: null,
    verdicts: [],
    tookUs: null,
    detail: {},
  };
}
