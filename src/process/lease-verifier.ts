// SPDX-License-Identifier: Apache-2.0
import type { LeaseGrant } from '../identity/lease.ts';
import { verifyLease } from '../identity/lease-statement.ts';
import type { SidecarIdentity } from './sidecar-identity.ts';

/** Believes leases of the node that this sidecar joined, made for this very instance. */
export function leaseVerifierOf(
  identity: () => SidecarIdentity | null,
): (signed: string, chain: string | null) => LeaseGrant | null {
  return (signed, chain) => {
    const known = identity();
    if (known === null) return null;
    if (chain !== null) known.verifier.verifyPem(chain);
    const grant = verifyLease(signed, (thumbprint) => {
      const peer = known.verifier.byThumbprint(thumbprint);
      return peer?.spiffeId === known.nodeSpiffeId ? peer : null;
    });
    return grant?.holder === known.credential.spiffeId ? grant : null;
  };
}
