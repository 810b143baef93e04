// SPDX-License-Identifier: Apache-2.0

/** How long a lease lasts where the mesh file does not say, and the longest it may. */
export const leaseMsDefault = 5_000;
export const leaseMsMax = 60_000;

/** One instant on both clocks of a machine. */
export type Instant = {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds since some start; never set, never back. */
  readonly monotonicMs: number;
};

/** What PACE lets the holder do; travels with every lease. */
export type LeaseClamp = {
  readonly phase: 'PRIMARY' | 'ALTERNATE' | 'CONTINGENCY' | 'EMERGENCY';
  readonly allows: 'all' | 'supervised' | 'read-only' | 'nothing';
  readonly draining: boolean;
};

/** What a node says when it is asked for a lease: what it ran on at that moment. */
export type LeaseGrant = {
  /** The run of the node; another run knows nothing of this lease. */
  readonly boot: string;
  /** SPIFFE id of the instance that it is for. */
  readonly holder: string;
  /** Of the question. Null: unasked; it tells of a clamp, and makes no lease longer. */
  readonly nonce: string | null;
  /** Of PACE; never goes back. */
  readonly paceVersion: number;
  readonly clamp: LeaseClamp;
  /** False where HIGH and CRITICAL have to wait: an observer is declared, and silent. */
  readonly privileged: boolean;
  /** The observer's newest statement, for the holder to verify; null where there is none. */
  readonly consent: string | null;
  readonly meshDigest: string;
  readonly policyVersion: number;
  readonly revocationVersion: number;
  /** 0 where the node grants none. */
  readonly durationMs: number;
};

/** What the holder of a lease runs on. */
export type LeaseTerms = Pick<
  LeaseGrant, 'holder' | 'meshDigest' | 'policyVersion' | 'revocationVersion' | 'paceVersion'
>;

/**
 * A lease on work: without one, no tool is called. It lasts until the earlier of both clocks says that it ended, so that
 * neither a clock set back nor a machine that slept makes it longer. Null fields: none is held.
 */
export type Lease = {
  readonly boot: string | null;
  readonly wallUntilMs: number;
  readonly monotonicUntilMs: number;
  /** Whether it covers HIGH and CRITICAL work. */
  readonly privileged: boolean;
};

export const noLease: Lease = {
  boot: null,
  privileged: false,
  wallUntilMs: Number.NEGATIVE_INFINITY,
  monotonicUntilMs: Number.NEGATIVE_INFINITY,
};

/**
 * The lease after a grant. It counts from when it was *asked* for: an answer that was held back on
 * the way is worth less, not more, and no clock of another machine plays a part. A grant over other
 * terms is not taken, and ends the lease that is held: a node whose revocations are older than
 * those known here has lost some, and one with newer ones was not heard out.
 */
export function takeLease(
  held: Lease,
  grant: LeaseGrant,
  asked: Instant,
  terms: LeaseTerms,
): Lease {
  const sameTerms =
    grant.holder === terms.holder &&
    grant.paceVersion === terms.paceVersion &&
    grant.meshDigest === terms.meshDigest &&
    grant.policyVersion === terms.policyVersion &&
    grant.revocationVersion === terms.revocationVersion;
  const durationMs = Math.min(grant.durationMs, leaseMsMax);
  if (!sameTerms || !(durationMs > 0)) return noLease;
  const granted: Lease = {
    boot: grant.boot,
    wallUntilMs: asked.wallMs + durationMs,
    monotonicUntilMs: asked.monotonicMs + durationMs,
    privileged: grant.privileged,
  };
  if (!isFiniteLease(granted)) return noLease;
  // Answers may overtake each other over two connections; the one asked for last is the longest.
  const longer = held.boot !== grant.boot || granted.monotonicUntilMs >= held.monotonicUntilMs;
  return longer ? granted : held;
}

/** True while both clocks are before the end; at the very end it has ended. */
export function isLeaseValid(lease: Lease, now: Instant): boolean {
  return (
    lease.boot !== null &&
    now.wallMs < lease.wallUntilMs &&
    now.monotonicMs < lease.monotonicUntilMs
  );
}

/** A node in another run answers: what an earlier run granted is void. */
export function onBoot(lease: Lease, boot: string): Lease {
  return lease.boot === boot ? lease : noLease;
}

function isFiniteLease({ wallUntilMs, monotonicUntilMs }: Lease): boolean {
  return Number.isFinite(wallUntilMs) && Number.isFinite(monotonicUntilMs);
}
