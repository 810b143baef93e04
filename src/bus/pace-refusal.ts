// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { asksForWrite } from '../mesh/asks-for-write.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { PaceView } from '../pace/pace-view.ts';

/**
 * What PACE has against a message that its sender may send: nobody is there to take it, or nothing
 * new is to begin. What an executor answers still travels while a halt drains.
 */
export function paceRefusal(
  body: Pick<EnvelopeBody, 'from' | 'to' | 'schema' | 'payload'>,
  { pace, mesh }: { readonly pace: PaceView; readonly mesh: Mesh },
): 'PACE_RECIPIENT_STOPPED' | 'PACE_DRAINING' | 'PACE_READ_ONLY' | null {
  const recipient = pace.clamp(body.to);
  if (recipient.allows === 'nothing') return 'PACE_RECIPIENT_STOPPED';
  if (body.schema === actionOutcomeSchema) return null;
  const sender = pace.clamp(body.from);
  if (recipient.draining === true || sender.draining === true) return 'PACE_DRAINING';
  return sender.allows === 'read-only' && asksForWrite(body, mesh) ? 'PACE_READ_ONLY' : null;
}
