// SPDX-License-Identifier: Apache-2.0
import type { PolicyStore } from '../control/policies.ts';
import { ControlError } from '../control/control-error.ts';
import { loadBundle } from '../mesh/bundle.ts';
import { changesBetween } from '../mesh/change.ts';
import type { Agent, Mesh, Operator } from '../mesh/mesh.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import { takePolicy } from '../mesh/take-policy.ts';
import type { PolicyView, SidecarContext } from '../sidecar/context.ts';

/** A store that forgets what it kept when the sidecar joins a mesh that was founded anew. */
export type SidecarPolicyStore = PolicyStore & {
  /** True when everything was forgotten. */
  readonly bindTo: (founded: string) => Promise<boolean>;
};

export type SidecarPolicyOptions = {
  readonly agent: string;
  readonly store: SidecarPolicyStore;
  /** As it stands on disk beside the sidecar; null where it cannot be loaded. */
  readonly disk: Mesh | null;
  readonly directory: string;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly log: (line: string) => void;
  /** Asks for the lease that goes with a version; resolves when it is there, or soon. */
  readonly lease: (policy: PolicyVersion) => Promise<void>;
  /** A version came that running parts of this sidecar cannot take. */
  readonly restart: () => void;
};

/** Makes everything that follows from a version, and what has to be there before it holds. */
export type Prepare = (version: PolicyView, mesh: Mesh, agent: Agent) => Promise<SidecarContext>;

/** How long a step waits for a version that is under way, before it is refused. */
const nextWaitMs = 10_000;

/**
 * The version of the policy that one sidecar runs on. Each version has a context of its own, and the
 * sidecar goes from one to the next as a whole; what was begun under the older one is judged again.
 * Versions never go back, also across restarts, and each is verified here, not believed.
 */
export class SidecarPolicy {
  readonly #options: SidecarPolicyOptions;
  readonly #waiting = new Set<(next: SidecarContext | null) => void>();
  #version: number;
  #mesh: Mesh;
  /** The highest version that the node said is in force. */
  #announced = 0;
  #refused: string | null = null;
  #context: SidecarContext | null = null;
  #prepare: Prepare | null = null;
  #turn: Promise<void> = Promise.resolve();

  /** For `founded`, the authority that this sidecar joined; what it ran on under another is forgotten. */
  async joined(founded: string | null): Promise<void> {
    if (!(await this.#options.store.bindTo(founded ?? ''))) return;
    this.#version = 0;
    this.#mesh = readable(this.#options.disk);
  }

  /**
   * What this sidecar ran on before counts more than the file on disk, which anybody may have changed
   * since. Throws `ControlError` when there is neither.
   */
  constructor(options: SidecarPolicyOptions) {
    this.#options = options;
    const { store, disk } = options;
    const kept = store.inForce();
    this.#version = kept?.version ?? 0;
    this.#mesh = kept === null || kept.digest === disk?.digest ? readable(disk) : this.#load(kept);
  }

  get mesh(): Mesh {
    return this.#mesh;
  }

  /** 0 until the node has said which version the mesh file is. */
  get version(): number {
    return this.#version;
  }

  get agent(): Agent {
    const agent = this.#mesh.agents.get(this.#options.agent);
    if (agent !== undefined) return agent;
    const { agent: name } = this.#options;
    throw new ControlError('CONTROL_AGENT_UNKNOWN', `The mesh file has no agent ${name}.`);
  }

  view(): PolicyView {
    return this.#viewOf(this.#version);
  }

  /** From here on the sidecar serves: versions switch its context, or end it. */
  async serve(prepare: Prepare): Promise<SidecarContext> {
    const context = await prepare(this.view(), this.#mesh, this.agent);
    this.#prepare = prepare;
    this.#context = context;
    return context;
  }

  announced(version: number): void {
    this.#announced = Math.max(this.#announced, version);
    this.#refused = null;
  }

  /** The node has nothing newer. A sidecar that knew only its mesh file learns the version of it. */
  async welcomed(version: number, digest: string): Promise<boolean> {
    if (digest !== this.#mesh.digest) return false;
    if (this.#version !== 0) return version === this.#version;
    this.#version = version;
    const bundle = this.#mesh.bundle ?? { file: '', texts: {} };
    await this.#options.store.keep({ version, digest, signed: null, bundle }, 'in-force');
    return true;
  }

  /**
   * Verifies a version, prepares all of it, makes it durable, and switches at once. Resolves with
   * null, or with the code of why it does not hold here; one after the other.
   */
  take(policy: PolicyVersion, switched: (context: SidecarContext) => void): Promise<string | null> {
    const taken = this.#turn.then(() => this.#take(policy, switched));
    this.#turn = taken.then(() => undefined, () => undefined);
    return taken.catch((failure: unknown) => this.#refuse(policy.version, codeOf(failure)));
  }

  async #take(
    policy: PolicyVersion,
    switched: (context: SidecarContext) => void,
  ): Promise<string | null> {
    const { store, operators } = this.#options;
    if (policy.version === this.#version && policy.digest === this.#mesh.digest) return null;
    const believesNode = this.#mesh.operators.size === 0;
    const held = { version: this.#version, mesh: this.#mesh, operators: operators(), believesNode };
    const taken = takePolicy(policy, held);
    if (!taken.ok) return this.#refuse(policy.version, taken.code);
    const prepare = this.#prepare;
    if (prepare === null) {
      await store.keep(policy, 'in-force');
      this.#switch(policy.version, taken.mesh);
      return null;
    }
    const agent = taken.mesh.agents.get(this.#options.agent);
    const changes = changesBetween(this.#mesh, taken.mesh);
    if (agent === undefined || changes.some((change) => change.needsRestart)) {
      await store.keep(policy, 'in-force');
      this.#options.restart();
      return null;
    }
    const [context] = await Promise.all([
      prepare(this.#viewOf(policy.version), taken.mesh, agent),
      this.#options.lease(policy),
    ]);
    await store.keep(policy, 'in-force');
    this.#switch(policy.version, taken.mesh);
    this.#context = context;
    switched(context);
    for (const wake of this.#waiting) wake(context);
    return null;
  }

  #switch(version: number, mesh: Mesh): void {
    this.#version = version;
    this.#mesh = mesh;
    this.#refused = null;
  }

  #viewOf(version: number): PolicyView {
    return {
      version,
      isCurrent: () => version >= this.#announced && this.#version === version &&
        this.#refused === null,
      next: () => this.#next(version),
    };
  }

  /** The context after this version, at once or when it comes; null when it is refused or late. */
  #next(version: number): Promise<SidecarContext | null> {
    if (this.#refused !== null) return Promise.resolve(null);
    if (this.#context !== null && this.#version > version) return Promise.resolve(this.#context);
    return new Promise((resolve) => {
      const settle = (next: SidecarContext | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(next);
      };
      const timer = setTimeout(() => settle(null), nextWaitMs);
      timer.unref();
      this.#waiting.add(settle);
    });
  }

  #refuse(version: number, code: string): string {
    this.#refused = code;
    this.#options.log(`policy: version ${version} is refused (${code})`);
    for (const wake of this.#waiting) wake(null);
    return code;
  }

  #load({ version, digest, bundle }: PolicyVersion): Mesh {
    const loaded = loadBundle(bundle, this.#options.directory);
    if (loaded.ok && loaded.mesh.digest === digest) return loaded.mesh;
    throw new ControlError(
      'CONTROL_POLICY_UNREADABLE',
      `Version ${version} of the policy cannot be loaded any more.`,
    );
  }
}

function readable(disk: Mesh | null): Mesh {
  if (disk !== null) return disk;
  throw new ControlError('CONTROL_POLICY_UNREADABLE', 'The mesh file cannot be loaded.');
}

/** A policy that does not compile here, or a disk that does not keep it: said by its code. */
function codeOf(failure: unknown): string {
  const code: unknown = failure instanceof Error ? Reflect.get(failure, 'code') : null;
  const isCode = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code);
  return isCode ? code : 'CONTROL_POLICY_UNAVAILABLE';
}
