// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Refusal } from './admission-entries.ts';
import type { AdmitContext, Publication } from './admit.ts';
import { runRefusal } from './put-aside.ts';

/** What can be said without a look at the payload. */
export function headRefusal(
  sender: PeerIdentity,
  publication: Publication,
  body: EnvelopeBody,
  context: AdmitContext,
): Refusal | null {
  return (
    entryRefusal(sender, publication, body) ??
    freshnessRefusal(sender, body, context.clock.nowMs(), context.mesh) ??
    replayRefusal(body, context) ??
    runRefusal(publication.entry, context) ??
    staleRefusal(publication, context)
  );
}

function entryRefusal(
  sender: PeerIdentity,
  publication: Publication,
  body: EnvelopeBody,
): Refusal | null {
  const { entry } = publication;
  const honest =
    entry.kind === 'message.outbound' &&
    entry.actor === `agent:${sender.name}` &&
    entry.message === body.id &&
    entry.task === body.task;
  return honest ? null : { code: 'BUS_ENTRY_FORGED', drop: true };
}

function freshnessRefusal(
  sender: PeerIdentity,
  body: EnvelopeBody,
  nowMs: number,
  mesh: Mesh,
): Refusal | null {
  if (!(nowMs < sender.expiresAtMs)) return { code: 'BUS_CREDENTIAL_EXPIRED', drop: true };
  if (!(nowMs < body.expiresAt)) return { code: 'BUS_EXPIRED', drop: false };
  const lifetimeMs = body.expiresAt - body.issuedAt;
  const inTime = body.issuedAt <= nowMs + mesh.limits.clockSkewMs;
  if (!(inTime && lifetimeMs <= mesh.limits.messageLifetimeMs)) {
    return { code: 'BUS_CLOCK_SKEW', drop: false };
  }
  return null;
}

function replayRefusal(body: EnvelopeBody, context: AdmitContext): Refusal | null {
  if (context.queue.digestOf(body.id) !== null || context.queue.nonceKnown(body.from, body.nonce)) {
    return { code: 'BUS_REPLAY', drop: false };
  }
  if (!(body.issuedAt >= context.queue.intactSinceMs)) {
    return { code: 'BUS_BEFORE_RESTART', drop: false };
  }
  return null;
}

/**
 * What its sender judged under another version is not judged here: under the new one it may look like
 * an attack that it is not. The sender's sidecar takes the new version and sends it anew.
 */
export function staleRefusal(publication: Publication, context: AdmitContext): Refusal | null {
  const isCurrent = publication.policyVersion === context.policy.version;
  return isCurrent ? null : { code: 'BUS_POLICY_STALE', drop: false };
}
