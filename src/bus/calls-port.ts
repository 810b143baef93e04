// SPDX-License-Identifier: Apache-2.0
import type { CallsFrame, SidecarFrame } from '../wire/frame.ts';

/** Calls of executors: those in doubt with what people say of them, and those to be undone. */
export type CallsPort = {
  /** What an executor says of its calls; whoever sends it unasked is not heard. */
  readonly heardOfCalls: (
    executor: string,
    frame: Extract<SidecarFrame, { kind: 'calls' | 'call-settled' | 'call-undone' }>,
  ) => void;
  /** What this executor was asked and has not answered: it is asked again on every connection. */
  readonly owedTo: (
    executor: string,
  ) => readonly Extract<CallsFrame, { kind: 'settle-call' | 'undo-call' }>[];
};
