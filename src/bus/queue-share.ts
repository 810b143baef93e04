// SPDX-License-Identifier: Apache-2.0
import { edgesFrom, edgesTo } from '../mesh/edge-index.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { MessageQueue } from './message-queue.ts';

/**
 * Half of a recipient's queue is for whoever comes first, the other half is shared out: one that
 * floods an agent which is away or slow must not keep the others from reaching it.
 */
export function hasRoom({ from, to }: EnvelopeBody, mesh: Mesh, queue: MessageQueue): boolean {
  const { queuedMessagesMax } = mesh.limits;
  const waiting = queue.pendingCount(to);
  if (waiting < queuedMessagesMax / 2) return true;
  const senders = sendersTo(to, mesh);
  if (senders <= 1) return waiting < queuedMessagesMax;
  const share = Math.max(1, Math.floor(queuedMessagesMax / 2 / senders));
  return queue.pendingCountFrom(to, from) < share;
}

/** Agents with an edge to the recipient, and executors that answer it. */
function sendersTo(to: string, mesh: Mesh): number {
  const senders = new Set(edgesTo(mesh, to).map((edge) => edge.from));
  for (const edge of edgesFrom(mesh, to)) if (edge.mayRequest.length > 0) senders.add(edge.to);
  return senders.size;
}
