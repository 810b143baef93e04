// SPDX-License-Identifier: Apache-2.0
import type { CallEnd } from './breaker.ts';
import type { Charge } from './charge.ts';

/** How long after the answer an allotted action may begin. */
export const actionValidMs = 10_000;
/** The same of reads that an agent is allotted ahead, some at a time. */
export const readValidMs = 30_000;
/** Reads that one allotment may hold. */
export const readsMax = 8;

/**
 * What the sidecar of an executor, or of an agent that reads through its own tools, asks the owner of
 * the bounds. Who asks is known from the connection and no part of it.
 */
export type AllotmentAsk = {
  /** Id of the action request, or of the first of the reads. */
  readonly holder: string;
  readonly requester: string;
  readonly task: string;
  /** Null for reads that the agent makes itself. */
  readonly action: string | null;
  /** `tool.operation`. */
  readonly operation: string;
  readonly idempotencyKey: string;
  /** Calls to be made: 1, or up to `readsMax` reads. */
  readonly calls: number;
  /** The parameters that caps and impacts count; of a list, its length. */
  readonly amounts: { readonly [parameter: string]: number };
  /** What the request is charged for besides, for example under its mandate. */
  readonly charges: readonly Charge[];
  /** Says the sidecar that asks; the owner of the bounds believes its own approvals. */
  readonly released: boolean;
};

/** How an allotted call ended; of what did not run, `unusedShare` (0 to 1) comes back. */
export type AllotmentReport = {
  readonly ask: AllotmentAsk;
  readonly end: CallEnd;
  readonly unusedShare: number;
};
