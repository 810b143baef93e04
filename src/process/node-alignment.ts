// SPDX-License-Identifier: Apache-2.0
import { sqliteAlignment } from '../adapters/alignment-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { AlignmentWatch } from '../control/alignment-watch.ts';
import { defaultPaceSettings } from '../mesh/pace-settings.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { DoneWrites } from '../control/done-writes.ts';
import { SignWatch } from '../control/sign-watch.ts';
import type { Clock } from '../message/clock.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';
import type { NodePace } from './node-pace.ts';
import { scoringRecorder } from './node-scores.ts';

type Ground = {
  readonly database: BatchedDatabase;
  readonly live: LivePolicy;
  readonly clock: Clock;
  readonly log: (line: string) => void;
};

/** A recorder that PACE hears from: signs of compromise, anomaly scores, intent alignment. */
export function watchedRecorder(
  inner: Recorder,
  ground: Ground,
  done: DoneWrites,
  pace: () => NodePace,
): Recorder {
  const { database, live, clock, log } = ground;
  const scoring = scoringRecorder({
    done,
    mesh: () => live.mesh,
    database,
    clock,
    recorder: inner,
    happened: (event) => pace().keeper.happened(event),
    failed: (failure) => log(`node: scores: ${faultOf(failure)}`),
  });
  const aligned = alignmentWatchOf(scoring, ground, (id, agent) => pace().misaligned(id, agent));
  return new SignWatch(aligned, (id, agent) => pace().sign(id, agent));
}

/** Watches how far agents keep to what they are for; one that does not is handed to PACE. */
function alignmentWatchOf(
  inner: Recorder,
  { database, live, log }: Ground,
  misaligned: (id: string, agent: string) => void,
): Recorder {
  return new AlignmentWatch({
    inner,
    store: sqliteAlignment(database),
    least: () => (live.mesh.pace ?? defaultPaceSettings).alignmentMin,
    fell: ({ id }, agent) => misaligned(id, agent),
    report: (failure) => log(`node: alignment: ${faultOf(failure)}`),
  });
}
