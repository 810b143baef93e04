// SPDX-License-Identifier: Apache-2.0
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';

/** Calls in doubt of connected executors, and what people say of them. */
export type CallsPort = {
  /** What an executor says of its calls; whoever sends it unasked is not heard. */
  readonly heardOfCalls: (
    executor: string,
    frame: Extract<SidecarFrame, { kind: 'calls' | 'call-settled' }>,
  ) => void;
  /** Settlements that this executor has not answered: it is sent them on every connection. */
  readonly settlementsFor: (
    executor: string,
  ) => readonly Extract<NodeFrame, { kind: 'settle-call' }>[];
};
