// SPDX-License-Identifier: Apache-2.0
import { sqliteAlignment } from '../adapters/alignment-store-sqlite.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { AlignmentWatch } from '../control/alignment-watch.ts';
import { defaultPaceSettings } from '../mesh/pace-settings.ts';
import type { Recorder } from '../recorder/entry.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';

/** Watches how far agents keep to what they are for; one that does not is handed to PACE. */
export function alignmentWatchOf(
  inner: Recorder,
  { database, live, log }: {
    readonly database: BatchedDatabase;
    readonly live: LivePolicy;
    readonly log: (line: string) => void;
  },
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
