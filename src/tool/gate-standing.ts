// SPDX-License-Identifier: Apache-2.0
import type { PaceView } from '../pace/pace-view.ts';

/** What a gate goes by before it looks at any call. */
export type GateStanding = {
  /** The agent whose calls pass here. */
  readonly agent: string;
  readonly pace: PaceView;
  /** The lease of the node: without one nobody can tell whether the agent was stopped. */
  readonly lease: { readonly isValid: () => boolean };
};

type Standing = 'PACE_STOPPED' | 'PACE_READ_ONLY' | 'PACE_LEASE_EXPIRED';

/**
 * What PACE has against a call now. `supervised` passes here: the request was held for people before
 * it was admitted. PACE_READ_ONLY concerns writes only; a view that fails or says something unknown
 * allows nothing. G7: whoever is cut off from the node is stopped when the lease ends.
 */
export function paceRefusal({ agent, pace, lease }: GateStanding): Standing | null {
  try {
    const { allows } = pace.clamp(agent);
    if (allows !== 'all' && allows !== 'supervised' && allows !== 'read-only') return 'PACE_STOPPED';
    if (!lease.isValid()) return 'PACE_LEASE_EXPIRED';
    return allows === 'read-only' ? 'PACE_READ_ONLY' : null;
  } catch {
    // Not knowing the phase is the same as being stopped.
    return 'PACE_STOPPED';
  }
}
