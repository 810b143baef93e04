// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { Lineage } from '../identity/svid-statement.ts';
import { flowsTo } from '../label/label.ts';
import { childRefusal } from '../mesh/child-scope.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { isResident } from '../mesh/spawn.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { NodeFrame, SidecarFrame, SpawnRequest } from '../wire/frame.ts';

export type SpawnedView = {
  /** What the spawned agent that lives under this name was given; null when none lives. */
  readonly lineageOf: (agent: string) => Lineage | null;
};

type SpawnedFrame = Extract<NodeFrame, { kind: 'spawned' }>;

/** What the control plane does for parents; `node` implements it. */
export type SpawnPort = {
  readonly spawn: (
    parent: PeerIdentity,
    request: SpawnRequest,
  ) => Promise<Omit<SpawnedFrame, 'kind' | 'number'> | { readonly code: string }>;
  /** How many children it ended. */
  readonly endChild: (
    parent: PeerIdentity,
    child: string | null,
    task: string | null,
  ) => Promise<number>;
  /** An agent process has ended; what it spawned ends with it. */
  readonly sessionEnded: (agent: PeerIdentity, incarnation: string) => void;
};

/**
 * What stands against a message because one of its ends was spawned. The sidecar of an honest child
 * refuses by itself to leave task and scope: here it is evidence that it was taken over.
 */
export function spawnedRefusal(
  body: EnvelopeBody,
  to: Agent,
  sender: PeerIdentity,
  { mesh, clock, lineageOf }: SpawnedView & { readonly mesh: Mesh; readonly clock: Clock },
): { readonly code: string; readonly drop: boolean } | null {
  const own = childRefusal(body, sender, mesh, clock.nowMs());
  if (own !== null) return { code: own, drop: own !== 'IDENTITY_LINEAGE_ENDED' };
  if (isResident(to)) return null;
  const lineage = lineageOf(to.name);
  if (lineage === null) return { code: 'BUS_CHILD_GONE', drop: false };
  if (lineage.task !== body.task) return { code: 'IDENTITY_TASK_FOREIGN', drop: false };
  return flowsTo(body.label.classification, lineage.scope.clearance)
    ? null
    : { code: 'BUS_CLEARANCE_EXCEEDED', drop: false };
}

/** Answers one frame of a parent. What it may not have is refused and leaves the line up. */
export async function answerSpawn(
  frame: Extract<SidecarFrame, { kind: 'spawn' | 'end-child' }>,
  parent: PeerIdentity,
  port: SpawnPort,
): Promise<NodeFrame> {
  const { number } = frame;
  try {
    if (frame.kind === 'end-child') {
      const count = await port.endChild(parent, frame.child, frame.task);
      return { kind: 'ended-child', number, count };
    }
    const answer = await port.spawn(parent, frame.request);
    if ('code' in answer) return { kind: 'refused', number, code: answer.code };
    return { kind: 'spawned', number, ...answer };
  } catch {
    // The disk or the recorder failed: nothing was granted, and the parent may ask again.
    return { kind: 'refused', number, code: 'BUS_UNAVAILABLE' };
  }
}
