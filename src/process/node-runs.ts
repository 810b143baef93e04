// SPDX-License-Identifier: Apache-2.0
import { SqliteSidecarRuns } from '../adapters/sidecar-runs-sqlite.ts';
import type { RunPort } from '../bus/run.ts';
import { revokeByNode, type RevocationsContext } from '../control/revocations.ts';
import { faultOf } from './fault.ts';
import type { Foundations } from './node-parts.ts';

/** Which run of each sidecar connected last, and what follows when two hold one identity. */
export function runPortOf(
  { database, clock, log }: Foundations,
  revocations: RevocationsContext,
): RunPort {
  const runs = new SqliteSidecarRuns(database);
  const failed = (failure: unknown): void => log(`node: runs: ${faultOf(failure)}`);
  return {
    lastRun: (spiffeId) => runs.last(spiffeId),
    noteRun: (spiffeId, run) => void runs.note(spiffeId, run, clock.nowMs()).catch(failed),
    forked: (peer) => void revokeByNode(peer.spiffeId, revocations).catch(failed),
  };
}
