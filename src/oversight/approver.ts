// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from '../mesh/mesh.ts';

/** What people are told of what waits for them: references, and nothing that an agent wrote. */
export type Notice = ActionNotice | ChangeNotice;

export type ActionNotice = {
  readonly waits: 'action';
  readonly approval: string;
  readonly action: string;
  readonly risk: RiskClass;
  readonly executor: string;
  /** Milliseconds since 1970; undecided by then means denied. */
  readonly expiresAt: number;
};

/** A change of a workflow that an orchestrator proposed: names of the mesh file, and counts. */
export type ChangeNotice = {
  readonly waits: 'change';
  readonly change: string;
  readonly workflow: string;
  readonly agent: string;
  /** Edges that it would open and close. */
  readonly opens: number;
  readonly closes: number;
  /** As with an action. */
  readonly expiresAt: number;
};

/** Something went on that should not have: references, declared names and codes (G9). */
export type Alarm = {
  readonly code: string;
  readonly task: string;
  readonly message: string;
  /** Agents that it reached, and people of the mesh file who answer for them. */
  readonly agents: readonly string[];
  readonly owners: readonly string[];
  /** Actions that were done on the strength of it, for people to undo. */
  readonly done: number;
};

/**
 * Brings people the word that something waits for them. It carries word and decides nothing: a
 * decision is an operator's signature, whatever way the word took. `waiting` resolves when the word
 * is handed on, and may be called again for the same notice after a crash. A rejection is
 * recorded as OVERSIGHT_APPROVER_FAILED and changes nothing else: what waits is in the queue, and
 * nobody's decision is denial.
 */
export interface Approver {
  readonly name: string;
  readonly configured: boolean;
  waiting(notice: Notice): Promise<void>;
  /** Resolves when the word is handed on; a rejection is on record as untold. */
  alarm(alarm: Alarm): Promise<void>;
}

/** The first implementation: nobody is told; people look with `maso approvals list`. */
export const noApprover: Approver = {
  name: 'none (not configured)',
  configured: false,
  waiting: async () => undefined,
  alarm: async () => undefined,
};
