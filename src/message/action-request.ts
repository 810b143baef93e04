// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from './json.ts';

export const actionRequestSchema = 'action-request/1';
export const actionOutcomeSchema = 'action-outcome/1';

/**
 * Payload of an action request (seed 000, section 3): what the requester asks the executor's gate
 * to do. Risk class and reversibility are absent on purpose: they come from the action's manifest.
 */
export type ActionRequest = {
  /** A name of the mesh file's closed set of actions. */
  readonly action: string;
  readonly parameters: JsonObject;
  /**
   * Chosen by the requester; the same key never runs the tool twice (AT-2.5). At most 64
   * characters.
   */
  readonly idempotencyKey: string;
  /** Message ids that support the request; opaque to models. */
  readonly evidence: readonly string[];
};

/** Payload of the `data` message that answers an action request. */
export type ActionOutcome = {
  readonly action: string;
  readonly idempotencyKey: string;
  readonly status: 'DONE' | 'REFUSED' | 'HELD' | 'IN-DOUBT' | 'FAILED';
  /** Coarse code of the closed agent-facing set, or null when DONE. */
  readonly code: string | null;
  /** Validated against the action's output schema; null unless DONE. */
  readonly result: JsonValue;
};
