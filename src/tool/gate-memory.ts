// SPDX-License-Identifier: Apache-2.0
import { ClosedSchemas } from './compiled-schema.ts';
import type { Decision } from './gate-outcome.ts';
import type { Intent } from './intent-store.ts';
import type { ToolAnswer } from './tool-runner.ts';

/** A call between its admission and its end. */
export type RunningCall = {
  readonly digest: string;
  readonly end: Promise<Decision>;
  readonly intent: Intent;
  /** Ends the wait for the tool; null while the call is not handed to it. */
  stop: ((answer: ToolAnswer) => void) | null;
};

/** What all gates of one agent share: each version of the policy has a gate, the tools are the same. */
export type GateMemory = {
  readonly schemas: ClosedSchemas;
  readonly running: Map<string, RunningCall>;
  ready: boolean;
  endsToRecord: boolean;
};

export function createGateMemory(): GateMemory {
  return { schemas: new ClosedSchemas(), running: new Map(), ready: false, endsToRecord: true };
}

/** A request, by its sender, the sender's key for it, and its own id. */
export type AskedBefore = {
  readonly requester: string;
  readonly idempotencyKey: string;
  readonly requestId: string;
};

/** `mayRepeat`: in doubt, and the tool takes the idempotency key, so that a second call is safe. */
export type PriorEnd = {
  readonly decision: Decision;
  readonly mayRepeat: boolean;
  /** What was called; null where the store cannot be read. */
  readonly intent: Intent | null;
};
