// SPDX-License-Identifier: Apache-2.0
import { SqliteProgressStore } from '../adapters/progress-store-sqlite.ts';
import type { ProgressContext } from '../control/progress.ts';
import { endTask, type RevocationsContext } from '../control/revocations.ts';
import { faultOf } from './fault.ts';
import type { Plane } from './node-parts.ts';

/** What happened in each task, in the node's database; a broken workflow ends its task. */
export function progressOf(
  { live, recorder, clock, database, log }: Plane,
  revocations: RevocationsContext,
): ProgressContext {
  return {
    get mesh() {
      return live.mesh;
    },
    store: new SqliteProgressStore(database),
    recorder,
    clock,
    endTask: (task, workflow) => {
      endTask(task, `workflow:${workflow}`, revocations)
        .catch((failure: unknown) => log(`node: intent: ${faultOf(failure)}`));
    },
  };
}
