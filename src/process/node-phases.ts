// SPDX-License-Identifier: Apache-2.0
import { SqliteJudgeMemory } from '../adapters/judge-memory-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { PhaseJudging } from '../control/phase-judging.ts';
import type { ProgressContext } from '../control/progress.ts';
import { noJudge, type Judge } from '../judge/judge.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { JudgeShare } from '../sidecar/judge-share.ts';
import type { BusLink } from '../sidecar/ports.ts';
import { faultOf } from './fault.ts';
import { judgeOf } from './judge-parts.ts';
import type { Plane } from './node-parts.ts';

/**
 * The judges of whole phases, which no executor's sidecar could see: asked by the node, within the
 * budget of every judge of the mesh. They can hold and end, and release nothing, so that a node that
 * lies gains nothing by them.
 */
export function phaseJudgingOf(
  plane: Plane,
  { store, endTask }: Pick<ProgressContext, 'store' | 'endTask'>,
  allot: BusLink['allot'],
): PhaseJudging {
  const { live, recorder, clock, database, log } = plane;
  const memory = new SqliteJudgeMemory(database);
  const share = new JudgeShare({
    agent: 'node', mesh: () => live.mesh, link: { allot }, clock, random: systemRandom,
  });
  let known: { readonly mesh: Mesh; readonly judge: Judge } | null = null;
  return new PhaseJudging({
    mesh: () => live.mesh,
    judge: async () => {
      const { mesh } = live;
      if (known?.mesh === mesh) return known.judge;
      try {
        known = { mesh, judge: await judgeOf(mesh, memory.spend, clock, share) };
        return known.judge;
      } catch (failure) {
        // Its key or its library is missing: phases stay unjudged, which holds, and it is said.
        log(`node: judge: ${faultOf(failure)}`);
        return noJudge;
      }
    },
    memory,
    store,
    recorder,
    clock,
    random: systemRandom,
    endTask,
    report: (failure) => log(`node: judge: ${faultOf(failure)}`),
  });
}
