// SPDX-License-Identifier: Apache-2.0
import type { BusClient } from '../adapters/bus-client-ws.ts';
import type { SqliteSidecarStore } from '../adapters/sidecar-store-sqlite.ts';
import { leaseMsDefault } from '../identity/lease.ts';
import type { Clock } from '../message/clock.ts';
import type { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { undoneMsMax } from '../sidecar/undo-call.ts';
import { Calibrating } from '../sidecar/calibrating.ts';
import type { SidecarRecorder } from '../sidecar/recording.ts';
import type { SidecarIdentity } from './sidecar-identity.ts';
import type { SidecarPolicy } from './sidecar-policy.ts';

const pruneEveryMs = 60_000;
const drainEveryMs = 1_000;
/** Half of half the shortest lifetime; a renewal that failed is tried again as soon. */
const rotateCheckMs = 250;

/** What a sidecar does again and again while it serves. */
export function startSidecarTimers(of: {
  readonly identity: SidecarIdentity;
  readonly link: BusClient;
  readonly recorder: SidecarRecorder;
  /** Null before it serves: its tools are starting. */
  readonly sidecar: () => AgentSidecar | null;
  readonly store: SqliteSidecarStore;
  readonly policy: SidecarPolicy;
  readonly clock: Clock;
  readonly ended: (code: string) => void;
  readonly report: (failure: unknown) => void;
}): readonly NodeJS.Timeout[] {
  const { identity, link, recorder, sidecar, store, policy, clock, ended, report } = of;
  const calibrating = new Calibrating();
  const timers = [
    setInterval(() => {
      store.prune(clock.nowMs() - pruneAfterMs(policy)).catch(report);
    }, pruneEveryMs),
    // What the node could not record is offered again, also when nothing new is to be recorded.
    setInterval(() => {
      recorder.drain().catch(report);
      sidecar()?.context.allotments.drain().catch(report);
      sidecar()?.repeatAnswers();
      const serving = sidecar();
      if (serving !== null) calibrating.look(serving.context).catch(report);
    }, drainEveryMs),
    setInterval(() => link.askLease(policy.version), leaseMsDefault / 3),
    // An identity that ran out cannot be renewed; only a new start, with a token, can go on.
    setInterval(() => {
      if (identity.isExpired) ended('IDENTITY_CERTIFICATE_EXPIRED');
      identity.renewIfDue((csr) => link.renew(csr)).catch(report);
    }, rotateCheckMs),
  ];
  for (const timer of timers) timer.unref();
  return timers;
}

/**
 * Messages are remembered for longer than any copy of them could still be accepted; those of an executor for as long
 * as a kill may want them undone, where the mesh file names what undoes anything.
 */
function pruneAfterMs({ mesh, agent }: Pick<SidecarPolicy, 'mesh' | 'agent'>): number {
  const { messageLifetimeMs, clockSkewMs, approvalTimeoutMs } = mesh.limits;
  const undoes = agent.role === 'EXECUTOR' && [...mesh.actions.values()].some(({ undo }) => undo !== undefined);
  return Math.max(
    2 * (messageLifetimeMs + clockSkewMs) + approvalTimeoutMs, 3_600_000 * 2, undoes ? undoneMsMax + 3_600_000 : 0,
  );
}
