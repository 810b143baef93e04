// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { Outgoing } from '../message/envelope.ts';
import type { SidecarContext } from './context.ts';
import { send, type Sent, type Speaker } from './outbound.ts';
import type { AskedMandate } from './pass-on.ts';

/** `to` is who has the message: the recipient, or the agent that stands in for it. */
export type Routed = Sent & { readonly to: string };

/**
 * Sends a message, and where PACE took its recipient out of work, once more to the standby that the
 * mesh file declares for it. The second message is another one: reviewed, labelled, mandated and
 * signed for the standby, along an edge of its own, so that nobody gets what was not meant for them. The
 * node says only that the recipient is stopped; who stands in for it is read from this sidecar's own
 * version of the policy. Both the refusal and what took its place are on record (EC-2.10).
 */
export async function sendOrToStandby(
  outgoing: Outgoing,
  speaker: Speaker,
  context: SidecarContext,
  asked: AskedMandate | null = null,
): Promise<Routed> {
  const sent = await send(outgoing, speaker, context, asked);
  if (sent.code !== 'PACE_RECIPIENT_STOPPED') return { ...sent, to: outgoing.to };
  const standby = standbyOf(outgoing.to, context.mesh);
  if (standby === null) return { ...sent, to: outgoing.to };
  const instead: Speaker = { ...speaker, insteadOf: outgoing.to };
  const routed = await send({ ...outgoing, to: standby }, instead, context, asked);
  // Refused there as well: what the sender hears is about whom it asked for.
  return routed.outcome === 'NO-GO' ? { ...sent, to: outgoing.to } : { ...routed, to: standby };
}

/** The agent that stands in for this one, by the mesh file; null where none does. */
function standbyOf(agent: string, { pace }: Mesh): string | null {
  for (const { standbys } of pace?.workflows.values() ?? []) {
    const standby = standbys.get(agent);
    if (standby !== undefined) return standby;
  }
  return null;
}
