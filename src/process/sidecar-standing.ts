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
  readonly meshDigest: string;
  /** Of the mesh file; where it names none, the node is believed. */
  readonly operators: ReadonlyMap<string, Operator>;
  /** Told of every step that this sidecar did not know. */
  readonly changed: () => void;
  readonly log: (line: string) => void;
};

/**
 * What a sidecar knows of who is revoked, kept across restarts and never older, and its lease on
 * privileged work.
 */
export class SidecarStanding implements LeaseView {
  readonly #options: StandingOptions;
  readonly #store: SqliteRevocationStore;
  readonly #list: RevocationList;
  #lease: Lease = noLease;
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
    const terms = {
      meshDigest: this.#options.meshDigest,
      revocationVersion: this.#list.version,
    };
    this.#lease = takeLease(this.#lease, grant, asked, terms);
    const refused = this.#lease === noLease;
    if (refused && !this.#told) this.#options.log('lease: refused, the node knows other revocations');
    this.#told = refused;
  }

  welcomed(boot: string): void {
    this.#lease = onBoot(this.#lease, boot);
  }

  ended(): void {
    this.#lease = noLease;
  }

  /** A node that lifts a revocation by itself is not believed. */
  #mayReinstate(change: RevocationChange, lifted: RevocationChange): boolean {
    const { operators } = this.#options;
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
