// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';

/** A value that a person is asked to endorse, and where it comes from as far as the mesh knows. */
export type ValueToEndorse = {
  /** JSON Pointer into the parameters of the hold. */
  readonly pointer: string;
  /** Declared sources that gave this very value, none of them listed for this parameter. */
  readonly sources: readonly string[];
  /** Everything that its requester had read: with no source, it came from there or was made up. */
  readonly origins: readonly string[];
};

/** How sure its requester may be, as its sidecar stamped it from all that the process was told. */
export type Told = {
  /** From 0 to 1; null where nobody gave one. */
  readonly confidence: number | null;
  /** What was said to be unknown, in agents' words; at most 32. */
  readonly unknowns: readonly string[];
};

/** An action that waits for people. The digest binds their decision to this request and no other. */
export type Hold = {
  /** Message id of the held action request. */
  readonly message: string;
  readonly task: string;
  readonly executor: string;
  readonly requester: string;
  /** First agent or user in the causal chain; floods are counted against it. */
  readonly rootOrigin: string;
  readonly action: string;
  readonly risk: RiskClass;
  readonly reversibility: string;
  readonly parameters: JsonObject;
  /** SHA-256 (base64url) of the canonical request, its message id and its executor. */
  readonly digest: string;
  readonly approvalsNeeded: 1 | 2;
  /** Codes, each once, at most 32. */
  readonly reasons: readonly string[];
  /** Values that need this person's word because no listed source gave them; at most 32. */
  readonly endorse?: readonly ValueToEndorse[] | undefined;
  /** Absent where the process was told nothing of it. */
  readonly told?: Told | undefined;
  readonly expiresAt: number;
  /** Operators who set it off, as far as the mesh file says so; they cannot approve it. */
  readonly causedBy?: readonly string[] | undefined;
  /** Operators whose changes made it what it is now, oldest first. */
  readonly modifiedBy?: readonly string[] | undefined;
};
