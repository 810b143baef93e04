// SPDX-License-Identifier: Apache-2.0
import { mintUlid } from '../message/identifiers.ts';
import type { PaceClamp } from '../pace/pace-view.ts';
import { stoppedCallsMax, type StoppedCall } from '../pace/stopped-call.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { capturedState } from './captured-state.ts';
import type { SidecarContext } from './context.ts';
import type { Snapshot } from './snapshot.ts';

/** A sidecar's account of what a change of PACE did here. */
export function clampedEntry(
  clamp: PaceClamp,
  paceVersion: number,
  calls: readonly StoppedCall[],
  snapshot: Snapshot | null,
  context: SidecarContext,
): EntryDraft {
  const { clock, random, agent, isolation } = context;
  return {
    kind: 'pace.clamped',
    id: mintUlid(clock, random),
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: null,
    message: null,
    causedBy: [],
    outcome: clamp.allows === 'nothing' ? 'NO-GO' : null,
    code: clamp.allows === 'nothing' ? 'PACE_STOPPED' : null,
    verdicts: [],
    tookUs: null,
    detail: {
      paceVersion,
      phase: clamp.phase,
      allows: clamp.allows,
      draining: clamp.draining === true,
      calls: calls.slice(0, stoppedCallsMax).map((call) => ({ ...call })),
      stopped: calls.length,
      isolation,
      ...(clamp.allows === 'nothing' ? { captured: { ...capturedState(context), snapshot } } : {}),
    },
  };
}
