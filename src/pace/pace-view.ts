// SPDX-License-Identifier: Apache-2.0

export type PacePhase = 'PRIMARY' | 'ALTERNATE' | 'CONTINGENCY' | 'EMERGENCY';

/** What the current phase still allows: every conductor asks before anything else. */
export type PaceClamp = {
  readonly phase: PacePhase;
  readonly allows: 'all' | 'read-only' | 'supervised' | 'nothing';
  /** A halt: what was begun may end, nothing new begins. Absent is false. */
  readonly draining?: boolean;
};

/** The clamp in force for an agent now; the most restrictive of agent, workflow and mesh. */
export interface PaceView {
  clamp(agent: string): PaceClamp;
}

/** Always Primary, for tests and benches of other parts. */
export const primaryPace: PaceView = {
  clamp: () => ({ phase: 'PRIMARY', allows: 'all' }),
};
