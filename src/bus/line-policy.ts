// SPDX-License-Identifier: Apache-2.0
import type { PolicyVersion } from '../mesh/policy-version.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { policyFrames } from '../wire/policy-parts.ts';

/** The version of the policy in force at the node, and those before it. */
export type PolicySource = {
  readonly version: number;
  /**
   * What a sidecar on this version and digest lacks, in order; `version` 0 where it knows only its
   * mesh file. Null where this node never had what the sidecar runs on.
   */
  readonly missing: (digest: string, version: number) => readonly PolicyVersion[] | null;
  /** What came after a version. */
  readonly after: (version: number) => readonly PolicyVersion[];
  /** Resolves when the switch that is under way has ended; null when none is. */
  readonly switching: () => Promise<void> | null;
};

/** Where one sidecar stands among the versions of the policy. */
export class LinePolicy {
  readonly #source: PolicySource;
  readonly #send: (frame: NodeFrame) => void;
  #taken = 0;
  #sent = 0;

  constructor(source: PolicySource, send: (frame: NodeFrame) => void) {
    this.#source = source;
    this.#send = send;
  }

  /** The version that the sidecar has taken; 0 before it is welcome. */
  get version(): number {
    return this.#taken;
  }

  isOffered(): boolean {
    return this.#sent > 0;
  }

  offer(policies: readonly PolicyVersion[]): void {
    for (const policy of policies) {
      this.#sent = policy.version;
      for (const part of policyFrames(policy)) this.#send(part);
    }
  }

  /** What the sidecar says it took: the version in force, an older one, or none it was sent. */
  took(version: number): 'current' | 'behind' | 'forged' {
    if (version > this.#sent) return 'forged';
    this.#taken = version;
    if (version === this.#source.version) return 'current';
    // Another one came meanwhile; what is under way to the sidecar already is not sent twice.
    if (version === this.#sent) this.offer(this.#source.after(version));
    return 'behind';
  }

  /** A sidecar that already runs on the version in force. */
  welcomed(): void {
    this.#taken = this.#source.version;
    this.#sent = this.#source.version;
  }
}
