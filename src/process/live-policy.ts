// SPDX-License-Identifier: Apache-2.0
import type { PolicySource } from '../bus/line-policy.ts';
import type { PolicyStore } from '../control/policies.ts';
import type { Limits, Mesh } from '../mesh/mesh.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { createSchemaRegistry, type SchemaRegistry } from '../scanner/schema-registry.ts';

/** What of a node follows from its mesh file; replaced as a whole. */
type InForce = {
  readonly version: number;
  readonly mesh: Mesh;
  readonly schemas: SchemaRegistry;
  readonly rates: TokenBuckets;
  readonly recordRates: TokenBuckets;
};

/** The version of the policy that a node runs on. Everybody at the node asks here, and keeps nothing. */
export class LivePolicy implements PolicySource {
  readonly #store: Pick<PolicyStore, 'get' | 'byDigest'>;
  #inForce: InForce;
  #switching: PromiseWithResolvers<void> | null = null;

  constructor(store: Pick<PolicyStore, 'get' | 'byDigest'>, version: number, mesh: Mesh) {
    this.#store = store;
    this.#inForce = { version, ...partsOf(mesh, null) };
  }

  get version(): number {
    return this.#inForce.version;
  }

  get mesh(): Mesh {
    return this.#inForce.mesh;
  }

  get schemas(): SchemaRegistry {
    return this.#inForce.schemas;
  }

  get rates(): TokenBuckets {
    return this.#inForce.rates;
  }

  get recordRates(): TokenBuckets {
    return this.#inForce.recordRates;
  }

  enforce(version: number, mesh: Mesh): void {
    this.#inForce = { version, ...partsOf(mesh, this.#inForce) };
  }

  pause(): void {
    this.#switching ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#switching?.resolve();
    this.#switching = null;
  }

  switching(): Promise<void> | null {
    return this.#switching?.promise ?? null;
  }

  missing(digest: string, version: number): readonly PolicyVersion[] | null {
    if (version === 0) {
      if (digest === this.mesh.digest) return [];
      const known = this.#store.byDigest(digest);
      return known === null ? null : this.after(known.version);
    }
    if (version === this.version) return digest === this.mesh.digest ? [] : null;
    const known = version < this.version ? this.#store.get(version) : null;
    return known?.digest === digest ? this.after(version) : null;
  }

  after(version: number): readonly PolicyVersion[] {
    const policies: PolicyVersion[] = [];
    for (let next = version + 1; next <= this.version; next += 1) {
      const policy = this.#store.get(next);
      // Versions that never were in force leave a gap.
      if (policy !== null) policies.push(policy);
    }
    return policies;
  }
}

function partsOf(mesh: Mesh, before: InForce | null): Omit<InForce, 'version'> {
  const { limits } = mesh;
  const kept = before !== null && isSamePace(before.mesh.limits, limits) ? before : null;
  return {
    mesh,
    schemas: createSchemaRegistry(mesh.schemas.values()),
    rates: kept?.rates ?? bucketsOf(limits, 1),
    // A tool call takes a few records of its own.
    recordRates: kept?.recordRates ?? bucketsOf(limits, 4),
  };
}

function bucketsOf(limits: Limits, times: number): TokenBuckets {
  const { messagesPerSecond, messageBurst } = limits;
  return new TokenBuckets({ perSecond: messagesPerSecond * times, burst: messageBurst * times });
}

/** Buckets that are kept stay as empty as they were: a reload refills nobody's. */
function isSamePace(before: Limits, after: Limits): boolean {
  return (
    before.messagesPerSecond === after.messagesPerSecond &&
    before.messageBurst === after.messageBurst
  );
}
