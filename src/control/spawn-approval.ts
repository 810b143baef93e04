// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { PeerIdentity } from '../identity/credential.ts';
import type { Lineage } from '../identity/svid-statement.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonObject } from '../message/json.ts';
import { hold, type ApprovalsContext } from '../oversight/approvals.ts';
import type { Hold } from '../oversight/hold.ts';
import type { SpawnRequest } from '../wire/frame.ts';
import { mayHarm } from './spawn-request.ts';

export type SpawnApproval = {
  readonly request: SpawnRequest;
  readonly parent: PeerIdentity;
  readonly lineage: Lineage;
  readonly mesh: Mesh;
};

/** What people say of a spawn; asked again with the same key it is the same question. */
export type SpawnApprovals = (asked: SpawnApproval) => Promise<
  | { readonly state: 'held'; readonly approval: string }
  | { readonly state: 'approved' }
  | { readonly state: 'refused' }
>;

/** The executor of a spawn, as approvals show it: no agent can bear this name. */
export const spawnExecutor = 'node:spawn';

/** Puts spawns into the queue of held actions; decisions are signed and bound like any other. */
export function spawnApprovals(context: ApprovalsContext): SpawnApprovals {
  return async (asked) => {
    const question = holdOf(asked, context);
    const known = context.store.byMessage(question.message, spawnExecutor);
    // The same key with other words is another question: it must not take the first one's place.
    if (known !== null && known.hold.digest !== question.digest) return { state: 'refused' };
    const approval = await hold(question, context);
    switch (approval.state) {
      case 'pending':
        return { state: 'held', approval: approval.id };
      case 'approved':
        return { state: 'approved' };
      default:
        return { state: 'refused' };
    }
  };
}

function holdOf({ request, parent, lineage, mesh }: SpawnApproval, context: ApprovalsContext): Hold {
  const { template, task, key } = request;
  const { scope, ancestors } = lineage;
  const parameters: JsonObject = {
    template,
    parent: parent.spiffeId,
    task,
    lifetimeMs: request.lifetimeMs,
    tools: [...scope.tools],
    requests: [...scope.requests],
    clearance: scope.clearance,
  };
  const message = `spawn.${digestOf({ parent: parent.spiffeId, key })}`;
  return {
    message,
    task,
    executor: spawnExecutor,
    requester: parent.name,
    rootOrigin: ancestors[0] ?? parent.spiffeId,
    action: 'spawn',
    risk: mayHarm(mesh, scope) ? 'HIGH' : 'MEDIUM',
    reversibility: 'compensable',
    parameters,
    digest: digestOf({ message, executor: spawnExecutor, parameters }),
    approvalsNeeded: 1,
    reasons: ['CONTROL_SPAWN_WAITS'],
    expiresAt: context.clock.nowMs() + mesh.limits.approvalTimeoutMs,
  };
}

function digestOf(value: JsonObject): string {
  return createHash('sha256').update(canonicalize(value)).digest('base64url');
}
