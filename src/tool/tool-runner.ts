// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { ToolCode } from './codes.ts';

export type ToolCall = {
  readonly operation: string;
  readonly arguments: JsonObject;
  /** Unique over all executors and requesters; handed to operations declared idempotent. */
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  /**
   * Asked again by a runner that had to wait before it can hand the call over; where it is false,
   * nothing is handed over. Absent: always true.
   */
  readonly mayBegin?: () => boolean;
};

/**
 * `done`: the tool answered. `failed`: the runner itself knows that nothing was done: the call
 * never left, or the operation only reads. `unknown`: the call was handed over and no plain answer
 * came (timeout, broken pipe, error result of a write): the effect may have happened, so the gate
 * marks it IN-DOUBT and never calls again. Reasons are codes, never text of the tool.
 */
export type ToolAnswer =
  | { readonly status: 'done'; readonly value: JsonValue }
  | { readonly status: 'failed'; readonly reason: ToolCode }
  | { readonly status: 'unknown'; readonly reason: ToolCode };

export type ToolDescription = {
  readonly operation: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
};

/**
 * Runs one tool. `start` resolves when the tool answers and its description matches its pins, and
 * rejects with `ToolError` otherwise; it describes the operations that the mesh file names, and no
 * others. `call` never rejects. `close` ends the tool's process; calls under way end as `unknown`.
 */
export interface ToolRunner {
  start(): Promise<readonly ToolDescription[]>;
  call(call: ToolCall): Promise<ToolAnswer>;
  close(): Promise<void>;
  /**
   * Stops what is under way, now, and says how surely: `ended`, the tool's process is killed; `told`,
   * the tool was told, or lost its connection, and may go on. Never throws. The next call begins anew.
   */
  abort(): 'ended' | 'told';
}

/** What a tool did that it must not; wiring turns it into an `indicator.raised` entry. */
export type ToolIndicator = {
  readonly tool: string;
  readonly code: 'TOOL_BACK_CHANNEL' | 'TOOL_LIST_CHANGED' | 'TOOL_PROTOCOL' | 'TOOL_DIED';
};
