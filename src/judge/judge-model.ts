// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';

/** One question as a model gets it. There is no conversation: each call starts from nothing. */
export type ModelPrompt = {
  readonly system: string;
  readonly user: string;
  /** JSON Schema of the answer. */
  readonly answer: JsonObject;
  readonly outputTokensMax: number;
};

export type ModelAnswer = {
  /** As it came; nobody but the parser reads it. */
  readonly text: string;
  /** Null where the provider does not say. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
};

/**
 * A language model behind some provider. `ask` makes one call, without tools and without a retry,
 * gives up when the signal fires, and rejects on whatever goes wrong; what it rejects with is never
 * recorded, because providers repeat what they were sent.
 */
export interface JudgeModel {
  ask(prompt: ModelPrompt, signal: AbortSignal): Promise<ModelAnswer>;
}

/** Time, as the process that wires the judge provides it. */
export type JudgeTiming = {
  /** Monotonic microseconds. */
  readonly nowUs: () => number;
  /**
   * Resolves with what the work gives, or with `late` once `timeoutMs` have passed, and then the
   * signal fires. Rejects as the work rejects.
   */
  readonly within: <Value>(
    work: (signal: AbortSignal) => Promise<Value>,
    timeoutMs: number,
  ) => Promise<{ readonly late: false; readonly value: Value } | { readonly late: true }>;
};
