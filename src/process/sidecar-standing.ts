// SPDX-License-Identifier: Apache-2.0
import { SqliteRevocationStore } from '../adapters/revocation-store-sqlite.ts';
import type { LeaseAnswer } from '../adapters/bus-client-options.ts';
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
import type { ObserverSettings } from '../mesh/pace-settings.ts';
import type { Clock } from '../message/clock.ts';
import { sameClamp } from '../pace/clamp.ts';
import { verifyObserved } from '../observer/statement.ts';
import type { LeaseView } from '../sidecar/standing.ts';
import { HeldClamp } from './held-clamp.ts';

export type StandingOptions = {
  readonly agent: string;
  readonly database: BatchedDatabase;
  readonly clock: Clock;
  /** What this sidecar runs on now. */
  readonly policy: () => { readonly digest: string; readonly version: number };
  /** Of the mesh file; where it names none, the node is believed. */
  readonly operators: () => ReadonlyMap<string, Operator>;
  /** Told of every step that this sidecar did not know. */
  readonly changed: () => void;
  /** The lease that the node signed for this very instance; null where it did not. */
  readonly verify: (signed: string, chain: string | null) => LeaseGrant | null;
  /** Told when PACE lets the agent do something else than before. */
  readonly paceChanged: () => void;
  /** Whom the mesh file names as observer; null: nobody. */
  readonly observer: () => ObserverSettings | null;
  readonly log: (line: string) => void;
  /** Milliseconds that never go back; absent: the process's own. */
  readonly monotonicMs?: () => number;
};

/** How long a switch waits for its lease; without it work waits on. */
const leaseWaitMs = 1_000;

/**
 * What a sidecar knows of who is revoked and of PACE, kept across restarts and never older, and its
 * lease on work.
 */
export class SidecarStanding implements LeaseView {
  readonly #options: StandingOptions;
  readonly #store: SqliteRevocationStore;
  readonly #list: RevocationList;
  readonly pace: HeldClamp;
  #lease: Lease = noLease;
  /** For the version that is being prepared; worth nothing before that version holds here. */
  #coming: { readonly version: number; readonly digest: string; lease: Lease } | null = null;
  #wake: (() => void) | null = null;
  #told = false;

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#store = new SqliteRevocationStore(options.database);
    this.#list = this.#store.load(options.clock.nowMs());
    this.pace = new HeldClamp(options.agent, options.database);
  }

  get revocations(): RevocationView {
    return this.#list;
  }

  isValid(): boolean {
    return isLeaseValid(this.#lease, this.now());
  }

  coversPrivileged(): boolean {
    return this.#lease.privileged && this.isValid();
  }

  now(): Instant {
    const { clock, monotonicMs = () => performance.now() } = this.#options;
    return { wallMs: clock.nowMs(), monotonicMs: monotonicMs() };
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

  /** A lease as it came: believed only signed, for this instance, and as the answer to its question. */
  heard({ signed, chain, asked }: LeaseAnswer): void {
    const grant = this.#options.verify(signed, chain);
    const isAnswer = grant !== null && (grant.nonce === null || grant.nonce === asked?.nonce);
    if (!isAnswer) return this.#refuse('PACE_LEASE_FORGED');
    if (!this.#takeClamp(grant)) return this.#refuse('the node knows less of PACE than before');
    if (grant.nonce === null || asked === null) {
      // Nobody asked: it tells of PACE, and makes nothing longer.
      if (grant.clamp.allows === 'nothing') this.#lease = noLease;
      return;
    }
    // Refused for a version that this sidecar has left meanwhile: that says nothing about this one.
    if (grant.durationMs === 0 && asked.version !== this.#options.policy().version) return;
    this.#granted(grant, asked.at);
  }

  #takeClamp({ paceVersion, clamp }: LeaseGrant): boolean {
    const before = this.pace.clamp(this.#options.agent);
    const taken = this.pace.take(paceVersion, clamp, (failure) => {
      this.#options.log(`pace: not kept (${failure instanceof Error ? failure.name : ''})`);
    });
    if (taken && !sameClamp(before, clamp)) this.#options.paceChanged();
    return taken;
  }

  #granted(grant: LeaseGrant, asked: Instant): void {
    const own = {
      holder: grant.holder,
      revocationVersion: this.#list.version,
      paceVersion: this.pace.version,
    };
    if (this.#isForComing(grant) && this.#coming !== null) {
      const { version: policyVersion, digest: meshDigest } = this.#coming;
      const terms = { ...own, meshDigest, policyVersion };
      const seen = { ...grant, privileged: grant.privileged && this.#isConsented(grant.consent) };
      this.#coming.lease = takeLease(this.#coming.lease, seen, asked, terms);
      this.#wake?.();
      return;
    }
    const { digest: meshDigest, version } = this.#options.policy();
    // Before its first welcome a sidecar knows its version by the digest alone.
    const policyVersion = version === 0 ? grant.policyVersion : version;
    const seen = { ...grant, privileged: grant.privileged && this.#isConsented(grant.consent) };
    this.#lease = takeLease(this.#lease, seen, asked, { ...own, meshDigest, policyVersion });
    const refused = this.#lease === noLease && grant.clamp.allows !== 'nothing';
    if (refused && !this.#told) this.#options.log('lease: refused, the node knows other revocations');
    this.#told = refused;
  }

  /** The node cannot consent in the observer's name: the signature is looked at here. */
  #isConsented(consent: string | null): boolean {
    const observer = this.#options.observer();
    if (observer === null) return true;
    const verified = verifyObserved(consent ?? '', observer.publicKey);
    if (!verified.ok || verified.statement.verdict !== 'consent') return false;
    return Math.abs(this.#options.clock.nowMs() - verified.statement.at) <= observer.silenceMs;
  }

  #refuse(why: string): void {
    this.#lease = noLease;
    this.#options.log(`lease: refused (${why})`);
  }

  /**
   * A version is being prepared: asks for the lease that it will need, so that work goes
   * on at once. Resolves when it is granted or refused, or soon after when nobody answers.
   */
  prepare(policy: { readonly version: number; readonly digest: string }, ask: () => void): Promise<void> {
    this.#coming = { ...policy, lease: noLease };
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, leaseWaitMs);
      this.#wake = () => {
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
    this.#wake = null;
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
