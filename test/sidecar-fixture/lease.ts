// SPDX-License-Identifier: Apache-2.0
import type { BusPace, LeasePort } from '../../src/bus/line-leases.ts';
import type { LeaseGrant } from '../../src/identity/lease.ts';
import { primaryPace } from '../../src/pace/pace-view.ts';

/** 128 bits, as a nonce is written. */
export const nonce = 'A'.repeat(22);

export const primaryBusPace: BusPace = {
  clamp: primaryPace.clamp,
  version: 1,
  privileged: () => true,
  consent: () => null,
  orderWaits: () => false,
};

/** Leases whose signature is their own text, so that a test can read them. */
export const plainLeases: LeasePort = {
  signLease: (grant) => ({ signed: JSON.stringify(grant), thumbprint: 'node', chainPem: 'chain' }),
  clamped: () => undefined,
};

export function grantOf(signed: string): LeaseGrant {
  return JSON.parse(signed) as LeaseGrant;
}

/** What a node grants where a test says nothing else. */
export function sampleGrant(change: Partial<LeaseGrant> = {}): LeaseGrant {
  return {
    boot: 'boot',
    holder: 'holder',
    nonce,
    meshDigest: 'mesh',
    policyVersion: 1,
    revocationVersion: 1,
    paceVersion: 1,
    clamp: { phase: 'PRIMARY', allows: 'all', draining: false },
    privileged: true,
    consent: null,
    durationMs: 5_000,
    ...change,
  };
}
