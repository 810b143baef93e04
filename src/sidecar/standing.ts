// SPDX-License-Identifier: Apache-2.0
import type { RevocationView } from '../identity/revocation.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import type { SidecarContext } from './context.ts';

/** Whether work may go on here, and whether work of HIGH and CRITICAL may; asked right before it. */
export type LeaseView = {
  readonly isValid: () => boolean;
  readonly coversPrivileged: () => boolean;
};

/** What stands against the sidecar's own agent doing anything at all; null when nothing does. */
export function ownRefusal(
  context: Pick<SidecarContext, 'agent' | 'credential' | 'revocations'>,
): string | null {
  const { spiffeId, thumbprint, lineage } = context.credential();
  const own = { name: context.agent.name, spiffeId, thumbprint, lineage };
  return context.revocations.isRevoked(own) ? 'IDENTITY_REVOKED' : null;
}

/** What stands against a process of the agent taking up its session. */
export function sessionRefusal(
  context: Pick<SidecarContext, 'agent' | 'credential' | 'revocations' | 'pace'>,
): string | null {
  const own = ownRefusal(context);
  if (own !== null) return own;
  return context.pace.clamp(context.agent.name).allows === 'nothing' ? 'PACE_STOPPED' : null;
}

/**
 * What stands against work of this class: HIGH and CRITICAL wait while the observer is silent. The
 * gate itself lets nothing run without a lease.
 */
export function leaseRefusal(
  risk: RiskClass,
  context: Pick<SidecarContext, 'lease'>,
): string | null {
  if (risk !== 'HIGH' && risk !== 'CRITICAL') return null;
  return context.lease.coversPrivileged() ? null : 'SIDECAR_LEASE_EXPIRED';
}

/** What stands against acting on a message kept earlier, from an agent that was revoked since. */
export function senderRefusal(
  sender: { readonly from: string; readonly instance: string },
  revocations: RevocationView,
): string | null {
  return revocations.isSenderRevoked(sender.from, sender.instance) ? 'IDENTITY_REVOKED' : null;
}
