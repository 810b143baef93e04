// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';

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
  readonly reasons: readonly string[];
  readonly expiresAt: number;
};
