// SPDX-License-Identifier: Apache-2.0
import { SqliteLineageStore } from '../adapters/bounds-store-sqlite.ts';
import { SqliteChildStore } from '../adapters/child-store-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { LineageStore } from '../bounds/lineage.ts';
import type { BusConnection } from '../bus/connection.ts';
import type { SpawnPort } from '../bus/spawned.ts';
import type { ChildHost } from '../control/child.ts';
import { Children, type SpawnAnswer } from '../control/children.ts';
import type { RevocationsContext } from '../control/revocations.ts';
import { spawnApprovals } from '../control/spawn-approval.ts';
import { applySpawn, type SpawnStatementAnswer } from '../control/spawn-statement.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { Clock } from '../message/clock.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { ApprovalsContext } from '../oversight/approvals.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';

/** Spawned agents of a node, and who starts their sidecars. */
export type NodeChildren = {
  readonly children: Children;
  /** Where the hand-over of each spawn is, beside those of messages. */
  readonly lineage: LineageStore;
  readonly port: SpawnPort;
  readonly hostBy: (host: ChildHost) => void;
  readonly spawnSigned: (signed: string) => Promise<SpawnStatementAnswer>;
};

export type ChildrenFoundations = {
  readonly live: LivePolicy;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly database: BatchedDatabase;
  readonly connected: ReadonlyMap<string, BusConnection>;
  readonly log: (line: string) => void;
};

export function buildChildren(
  { live, recorder, clock, database, connected, log }: ChildrenFoundations,
  approvals: ApprovalsContext,
  revocations: RevocationsContext,
): NodeChildren {
  let host: ChildHost | null = null;
  const lineage = new SqliteLineageStore(database);
  const children = new Children({
    get mesh() {
      return live.mesh;
    },
    clock,
    random: systemRandom,
    recorder,
    revocations,
    store: new SqliteChildStore(database),
    lineage,
    approvals: spawnApprovals(approvals),
    host: () => host,
    connectedAs: (agent) => connected.get(agent)?.peer ?? null,
    report: (failure) => log(`node: spawn: ${faultOf(failure)}`),
  });
  const port: SpawnPort = {
    spawn: async (parent, request) =>
      spawnedOf(await children.spawn(request, parent, `agent:${parent.name}`)),
    endChild: (parent, child, task) => children.endOwn(parent.spiffeId, child, task),
    sessionEnded: (agent, incarnation) => children.sessionEnded(agent.spiffeId, incarnation),
  };
  return {
    children,
    lineage,
    port,
    hostBy: (given) => {
      host = given;
    },
    spawnSigned: (signed) =>
      applySpawn(signed, {
        mesh: live.mesh, clock, children,
        random: systemRandom,
        operators: approvals.operators,
        connectedAs: (agent) => connected.get(agent)?.peer ?? null,
      }),
  };
}

function spawnedOf(answer: SpawnAnswer): Awaited<ReturnType<SpawnPort['spawn']>> {
  switch (answer.state) {
    case 'running': {
      const { name, spiffeId, lineage } = answer.child;
      return { child: name, spiffeId, endsAt: lineage.endsAt, approval: null };
    }
    case 'held':
      return { child: null, spiffeId: null, endsAt: null, approval: answer.approval };
    case 'refused':
      return { code: answer.code };
    default:
      return answer satisfies never;
  }
}
