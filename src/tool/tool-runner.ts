// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';

export type ToolCall = {
  readonly operation: string;
  readonly arguments: JsonObject;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
};

/**
 * `done`: the tool answered. `failed`: the tool answered that it did nothing, or was never reached.
 * `unknown`: the call was handed over and no answer came (timeout, broken pipe): the effect may have
 * happened, so the gate marks it IN-DOUBT and never calls again.
 */
export type ToolAnswer =
  | { readonly status: 'done'; readonly value: JsonValue }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'unknown'; readonly reason: string };

export type ToolDescription = {
  readonly operation: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
};

/**
 * Runs one tool. `start` resolves when the tool answers and its description matches its pins, and
 * rejects with `ToolError` otherwise. `call` never rejects. `close` ends the tool's process.
 */
export interface ToolRunner {
  start(): Promise<readonly ToolDescription[]>;
  call(call: ToolCall): Promise<ToolAnswer>;
  close(): Promise<void>;
}
