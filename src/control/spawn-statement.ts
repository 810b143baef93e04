// SPDX-License-Identifier: Apache-2.0
import { keysWith } from '../mesh/operator-roles.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import { verifySpawn } from '../identity/spawn-statement.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import type { Clock, Random } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { Children, SpawnAnswer } from './children.ts';

export type SpawnStatementContext = {
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly random: Random;
  readonly children: Children;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly connectedAs: (agent: string) => PeerIdentity | null;
};

export type SpawnStatementAnswer = SpawnAnswer | { readonly state: 'refused'; readonly code: string };

/** An order that is older than this is not followed: it may have been kept back. */
const orderMsMax = 5 * 60_000;

/**
 * Spawns an agent by an operator's signed order. The operator's signature is the approval of a
 * person; right, number, depth and scope are the parent's all the same.
 */
export async function applySpawn(
  signed: string,
  context: SpawnStatementContext,
): Promise<SpawnStatementAnswer> {
  const { mesh, clock, random, children, operators, connectedAs } = context;
  const verified = verifySpawn(signed, keysWith(operators, 'operate'));
  if (!verified.ok) return { state: 'refused', code: verified.code };
  const { id, parent, template, task, lifetimeMs, operator, at } = verified.statement;
  if (!(Math.abs(clock.nowMs() - at) <= orderMsMax)) {
    return { state: 'refused', code: 'CONTROL_SPAWN_OVER' };
  }
  if (!mesh.agents.has(parent)) return { state: 'refused', code: 'CONTROL_AGENT_UNKNOWN' };
  const peer = connectedAs(parent);
  if (peer === null) return { state: 'refused', code: 'CONTROL_SPAWN_PARENT' };
  const request = {
    template, lifetimeMs,
    task: task ?? peer.lineage?.task ?? mintUlid(clock, random),
    tools: null, requests: null, clearance: null, incarnation: null,
    key: id,
  };
  return children.spawn(request, peer, `operator:${operator}`);
}
