// SPDX-License-Identifier: Apache-2.0
import { asksForWrite } from '../mesh/asks-for-write.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Outgoing } from '../message/envelope.ts';
import type { SidecarContext } from './context.ts';
import { send, type Sent, type Speaker } from './outbound.ts';
import type { AskedMandate } from './pass-on.ts';

/**
 * `to` is who has the message: the recipient, or the agent that stands in for it. `standby` is the one
 * that has it instead or, where it was refused, the one that the sender may ask anew; null for none.
 */
export type Routed = Sent & { readonly to: string; readonly standby: string | null };

/**
 * Sends a message, and where PACE took its recipient out of work, once more to the standby that the
 * mesh file declares for it. The second message is another one: reviewed, labelled, mandated and
 * signed for the standby, along an edge of its own, so that nobody gets what was not meant for them. The
 * node says only that the recipient is stopped; who stands in for it is read from this sidecar's own
 * version of the policy. Both the refusal and what took its place are on record (EC-2.10).
 *
 * What asks for a write is not sent on: the stopped executor may have begun it, and the standby's gate
 * knows nothing of its idempotency key, so that both would run. The sender hears who stands in, and whether to
 * ask anew is for it to say.
 */
export async function sendOrToStandby(
  outgoing: Outgoing,
  speaker: Speaker,
  context: SidecarContext,
  asked: AskedMandate | null = null,
): Promise<Routed> {
  const sent = await send(outgoing, speaker, context, asked);
  const unrouted = { ...sent, to: outgoing.to, standby: null };
  if (sent.code !== 'PACE_RECIPIENT_STOPPED') return unrouted;
  const standby = standbyOf(outgoing.to, context.mesh);
  if (standby === null) return unrouted;
  if (asksForWrite(outgoing, context.mesh)) return { ...unrouted, standby };
  const instead: Speaker = { ...speaker, insteadOf: outgoing.to };
  const routed = await send({ ...outgoing, to: standby }, instead, context, asked);
  // Refused there as well: what the sender hears is about whom it asked for.
  return routed.outcome === 'NO-GO' ? unrouted : { ...routed, to: standby, standby };
}

/** The agent that stands in for this one, by the mesh file; null where none does. */
function standbyOf(agent: string, { pace }: Mesh): string | null {
  for (const { standbys } of pace?.workflows.values() ?? []) {
    const standby = standbys.get(agent);
    if (standby !== undefined) return standby;
  }
  return null;
}
