// SPDX-License-Identifier: Apache-2.0
import { SqliteRevocationStore } from '../adapters/revocation-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { isLeaseValid, noLease, onBoot, takeLease } from '../identity/lease.ts';
import type { Instant, Lease, LeaseGrant } from '../identity/lease.ts';
import type {
  RevocationChange,
  RevocationList,
  RevocationUpdate,
  RevocationView,
} from '../identity/revocation.ts';
import { verifyRevocation } from '../identity/revocation-statement.ts';
import type { Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { LeaseView } from '../sidecar/standing.ts';

export type StandingOptions = {
  readonly database: BatchedDatabase;
  readonly clock: Clock;
  /** What this sidecar runs on now. */
  readonly policy: () => { readonly digest: string; readonly version: number };
  /** Of the mesh file; where it names none, the node is believed. */
  readonly operators: () => ReadonlyMap<string, Operator>;
  /** Told of every step that this sidecar did not know. */
  readonly changed: () => void;
  readonly log: (line: string) => void;
};

/** How long a switch waits for its lease; without it only privileged work waits on. */
const leaseWaitMs = 1_000;

/**
 * What a sidecar knows of who is revoked, kept across restarts and never older, and its lease on
 * privileged work.
 */
export class SidecarStanding implements LeaseView {
  readonly #options: StandingOptions;
  readonly #store: SqliteRevocationStore;
  readonly #list: RevocationList;
  #lease: Lease = noLease;
  /** For the version that is being prepared; worth nothing before that version holds here. */
  #coming: { readonly version: number; readonly digest: string; lease: Lease } | null = null;
  #granted: (() => void) | null = null;
  #told = false;

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#store = new SqliteRevocationStore(options.database);
    this.#list = this.#store.load(options.clock.nowMs());
  }

  get revocations(): RevocationView {
    return this.#list;
  }

  isValid(): boolean {
    return isLeaseValid(this.#lease, this.now());
  }

  now(): Instant {
    return { wallMs: this.#options.clock.nowMs(), monotonicMs: performance.now() };
  }

  /** Holds in memory at once; kept soon after, and asked for again where a crash comes between. */
  update(update: RevocationUpdate): void {
    const taken = this.#list.update(update, (change, lifted) => this.#mayReinstate(change, lifted));
    if (taken === null) {
      this.#options.log('revocations: the node sent steps that cannot be taken');
      this.#lease = noLease;
      return;
    }
    if (taken.length === 0) return;
    this.#store.add(taken, update.version).catch((failure: unknown) => {
      // They hold in memory; without the disk no restart may go on under this lease.
      this.#lease = noLease;
      this.#options.log(`revocations: not kept (${failure instanceof Error ? failure.name : ''})`);
    });
    this.#options.changed();
  }

  granted(grant: LeaseGrant, asked: Instant): void {
    const revocationVersion = this.#list.version;
    if (this.#isForComing(grant) && this.#coming !== null) {
      const { version: policyVersion, digest: meshDigest } = this.#coming;
      const terms = { meshDigest, policyVersion, revocationVersion };
      this.#coming.lease = takeLease(this.#coming.lease, grant, asked, terms);
      this.#granted?.();
      return;
    }
    const { digest: meshDigest, version } = this.#options.policy();
    // Before its first welcome a sidecar knows its version by the digest alone.
    const policyVersion = version === 0 ? grant.policyVersion : version;
    const terms = { meshDigest, policyVersion, revocationVersion };
    this.#lease = takeLease(this.#lease, grant, asked, terms);
    const refused = this.#lease === noLease;
    if (refused && !this.#told) this.#options.log('lease: refused, the node knows other revocations');
    this.#told = refused;
  }

  /**
   * A version is being prepared: asks for the lease that it will need, so that privileged work goes
   * on at once. Resolves when it is granted or refused, or soon after when nobody answers.
   */
  prepare(policy: { readonly version: number; readonly digest: string }, ask: () => void): Promise<void> {
    this.#coming = { ...policy, lease: noLease };
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, leaseWaitMs);
      this.#granted = () => {
        clearTimeout(timer);
        resolve();
      };
      ask();
    });
  }

  /** The version that was prepared holds: the lease for the one before is void. */
  switched(): void {
    this.#lease = this.#coming?.lease ?? noLease;
    this.#coming = null;
    this.#granted = null;
  }

  welcomed(boot: string): void {
    this.#lease = onBoot(this.#lease, boot);
  }

  ended(): void {
    this.#lease = noLease;
  }

  /** What is refused is refused for the version that still holds here. */
  #isForComing({ policyVersion, durationMs }: LeaseGrant): boolean {
    return policyVersion === this.#coming?.version && durationMs > 0;
  }

  /** A node that lifts a revocation by itself is not believed. */
  #mayReinstate(change: RevocationChange, lifted: RevocationChange): boolean {
    const operators = this.#options.operators();
    if (operators.size === 0) return true;
    const verified = verifyRevocation(
      change.signed ?? '',
      (name) => operators.get(name)?.publicKey ?? null,
    );
    if (!verified.ok) return false;
    const { id, op, target, lifts } = verified.statement;
    return (
      id === change.id &&
      op === 'reinstate' &&
      target.kind === change.target.kind &&
      target.value === change.target.value &&
      lifts === lifted.id
    );
  }
}
