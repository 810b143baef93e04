// SPDX-License-Identifier: Apache-2.0

/** Calls of tools that one report of a stop names; what is beyond is counted with the last. */
export const stoppedCallsMax = 64;

/** A tool call that was under way when PACE stopped its agent. */
export type StoppedCall = {
  /** Id of the request that it was made for. */
  readonly call: string;
  readonly tool: string;
  readonly operation: string;
  readonly write: boolean;
  /**
   * `ended`: the tool's process was killed. `told`: the tool was told to stop, or its connection was
   * cut, and may still finish; people look at the tool.
   */
  readonly end: 'ended' | 'told';
};
