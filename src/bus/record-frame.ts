// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { Clock } from '../message/clock.ts';
import { RecorderError, type EntryDraft, type Recorder } from '../recorder/entry.ts';
import type { TokenBuckets } from '../scanner/rate.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import type { ControlPort } from './control-port.ts';
import type { PolicySource } from './line-policy.ts';

export type RecordContext = {
  readonly policy: PolicySource;
  readonly recordRates: TokenBuckets;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly control: Pick<ControlPort, 'sessionEnded' | 'refusedLate'>;
};

/**
 * Records what a sidecar tells of its own steps; null when it is durable, else the code. A privileged
 * step begins with its record, and begins under the version of the policy in force or not at all.
 */
export async function recordFor(
  peer: PeerIdentity,
  frame: Extract<SidecarFrame, { kind: 'record' }>,
  context: RecordContext,
): Promise<string | null> {
  const { policy, recordRates, clock, recorder } = context;
  if (frame.privileged) {
    await policy.switching();
    if (frame.policyVersion !== policy.version) return 'BUS_POLICY_STALE';
  }
  // Its entries stay in its spool: one sidecar must not fill the disk of all.
  if (!recordRates.take(peer.name, clock.nowMs())) return 'RECORDER_OVERLOADED';
  try {
    await recorder.record(frame.entries, { privileged: frame.privileged });
    heed(peer, frame.entries, context.control);
    return null;
  } catch (failure) {
    return failure instanceof RecorderError ? failure.code : 'RECORDER_NOT_DURABLE';
  }
}

/** Told by what is on record, which a sidecar repeats until it is: no lost line hides an end. */
function heed(
  peer: PeerIdentity,
  entries: readonly EntryDraft[],
  control: RecordContext['control'],
): void {
  for (const { kind, detail, outcome, task, message } of entries) {
    const { incarnation, mode } = detail;
    if (kind === 'session.ended' && typeof incarnation === 'string') {
      control.sessionEnded(peer, incarnation);
    }
    const isLate = kind === 'judge.ruled' && mode === 'late' && outcome === 'NO-GO';
    if (isLate && task !== null) control.refusedLate(peer.name, task, message ?? '');
  }
}
