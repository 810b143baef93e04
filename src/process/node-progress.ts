// SPDX-License-Identifier: Apache-2.0
import { SqliteProgressStore } from '../adapters/progress-store-sqlite.ts';
import type { PhaseJudging } from '../control/phase-judging.ts';
import type { ProgressContext } from '../control/progress.ts';
import { endTask, type RevocationsContext } from '../control/revocations.ts';
import type { BusLink } from '../sidecar/ports.ts';
import { faultOf } from './fault.ts';
import { phaseJudgingOf } from './node-phases.ts';
import type { Plane } from './node-parts.ts';

/**
 * What happened in each task, in the node's database; a broken workflow ends its task, and phases go
 * before their judges. `allot` is how the node asks for its own part of the judges' budget.
 */
export function progressOf(
  plane: Plane,
  revocations: RevocationsContext,
  allot: BusLink['allot'],
): { readonly progress: ProgressContext; readonly phases: PhaseJudging } {
  const { live, recorder, clock, database, log } = plane;
  const store = new SqliteProgressStore(database);
  const end = (task: string, workflow: string): void => {
    endTask(task, `workflow:${workflow}`, revocations)
      .catch((failure: unknown) => log(`node: intent: ${faultOf(failure)}`));
  };
  const phases = phaseJudgingOf(plane, { store, endTask: end }, allot);
  const progress: ProgressContext = {
    get mesh() {
      return live.mesh;
    },
    store,
    recorder,
    clock,
    endTask: end,
    askJudges: (evaluation, body) => phases.ask(evaluation, body),
  };
  // What an earlier run did not hear the answer to.
  phases.resume();
  return { progress, phases };
}
