// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { BusConnection } from '../bus/connection.ts';
import {
  applyNarrowing,
  applyPolicy,
  type PoliciesContext,
  type PolicyAnswer,
  type PolicyStore,
} from '../control/policies.ts';
import type { Mesh, MeshBundle, Operator } from '../mesh/mesh.ts';
import type { AppliedChange } from '../mesh/workflow-change.ts';
import type { JsonObject } from '../message/json.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import { Turns } from '../oversight/turns.ts';
import { CedarPolicies } from '../policy/cedar.ts';
import { PolicyError } from '../policy/policy-error.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { LivePolicy } from './live-policy.ts';


/** Where the mesh file names nobody, one operator of this machine is made, and said at start. */
export async function operatorsOf(
  mesh: Mesh,
  directory: string,
): Promise<ReadonlyMap<string, Operator>> {
  if (mesh.operators.size > 0) return mesh.operators;
  const key = await loadOrCreateOperatorKey(join(directory, 'local.jwk'));
  const local: Operator = { name: 'local', publicKey: key.publicJwk };
  return new Map([['local', local]]);
}

/** Reads and changes the policy of a running node, for people on its machine. */
export class NodePolicies {
  readonly #context: PoliciesContext;
  readonly #live: LivePolicy;
  readonly #store: PolicyStore;
  readonly #connected: ReadonlyMap<string, BusConnection>;
  /** One after the other: each signature names what it follows. */
  readonly #turns = new Turns();

  constructor(parts: {
    readonly live: LivePolicy;
    readonly store: PolicyStore;
    readonly recorder: Recorder;
    readonly clock: Clock;
    readonly operators: () => ReadonlyMap<string, Operator>;
    readonly connected: ReadonlyMap<string, BusConnection>;
  }) {
    const { live, store, recorder, clock, operators, connected } = parts;
    this.#live = live;
    this.#store = store;
    this.#connected = connected;
    this.#context = {
      store,
      recorder,
      clock,
      operators,
      inForce: () => ({ version: live.version, mesh: live.mesh }),
      mintId: () => mintUlid(clock, systemRandom),
      compiles,
      pause: () => live.pause(),
      resume: () => live.resume(),
      enforce: (policy, mesh) => {
        live.enforce(policy.version, mesh);
        for (const connection of connected.values()) connection.policyApplied(policy);
      },
    };
  }

  /** `change`: the change of a workflow that made these texts. */
  apply(
    signed: string,
    bundle: MeshBundle,
    change: AppliedChange | null = null,
  ): Promise<PolicyAnswer> {
    return this.#turns.take(() => applyPolicy(signed, bundle, this.#context, change));
  }

  /** What needs no signature; see `applyNarrowing`. */
  narrow(base: string, change: AppliedChange): Promise<PolicyAnswer> {
    return this.#turns.take(() => applyNarrowing(base, change, this.#context));
  }

  /** The version in force, or before it, that a change of a workflow made; null where none is kept. */
  versionOf(change: string): number | null {
    let version = this.#store.inForce();
    while (version !== null && version.change?.id !== change) version = this.#store.before(version.version);
    return version?.version ?? null;
  }

  /** Number of the next version. */
  get next(): number {
    return this.#store.highest() + 1;
  }

  /** What is in force with its texts, the number of the next version, and who runs on what. */
  show(): JsonObject {
    const { version, mesh } = this.#live;
    const kept = this.#store.get(version);
    const next = this.#store.next();
    return {
      version,
      digest: mesh.digest,
      signed: kept?.signed ?? null,
      next: this.next,
      staged: next?.version ?? null,
      agents: [...mesh.agents.keys()].map((agent) => ({
        agent,
        version: this.#connected.get(agent)?.policyVersion ?? null,
      })),
      directory: mesh.directory,
      bundle: { file: mesh.bundle?.file ?? '', texts: { ...mesh.bundle?.texts } },
    };
  }
}

async function compiles(mesh: Mesh): Promise<boolean> {
  try {
    await CedarPolicies.load(mesh);
    return true;
  } catch (failure) {
    // Policies that Cedar refuses refuse the version; a Cedar that is not there cannot vouch either.
    if (failure instanceof PolicyError) return false;
    throw failure;
  }
}
