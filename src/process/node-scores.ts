// SPDX-License-Identifier: Apache-2.0
import { SqliteGraphStore, SqliteScoreStore } from '../adapters/score-store-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { EntryWatch, type Raised } from '../anomaly/entry-watch.ts';
import { InteractionGraph } from '../anomaly/graph.ts';
import { Scorer } from '../anomaly/scorer.ts';
import type { DoneWrites } from '../control/done-writes.ts';
import { raisedEntry, ScoreWatch } from '../control/score-watch.ts';
import { defaultPaceSettings } from '../mesh/pace-settings.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { PaceEvent } from '../pace/book.ts';
import { membersBy } from '../pace/rules.ts';
import type { Recorder } from '../recorder/entry.ts';

export type ScoresGround = {
  readonly mesh: () => Mesh;
  readonly database: BatchedDatabase;
  readonly clock: Clock;
  /** What records the findings; not the recorder that is watched. */
  readonly recorder: Recorder;
  readonly happened: (event: Extract<PaceEvent, { kind: 'score' }>) => Promise<unknown>;
  readonly failed: (failure: unknown) => void;
  /** Remembers what was done, for reports of stops. */
  readonly done: DoneWrites;
};

/** No name of an agent has a colon. */
const rolePrefix = 'role:';

/** A recorder that scores agents by what goes through it; a score goes on record, and moves PACE. */
export function scoringRecorder(ground: ScoresGround): Recorder {
  const { mesh, database, clock, recorder, failed } = ground;
  const store = new SqliteScoreStore(database);
  const scorer = new Scorer((agent) => mesh().agents.get(agent)?.role ?? 'unknown');
  for (const [of, kept] of store.load()) {
    if (of.startsWith(rolePrefix)) scorer.restoreRole(of.slice(rolePrefix.length), kept);
    else scorer.restore(of, kept);
  }
  const edges = new SqliteGraphStore(database);
  const graph = new InteractionGraph();
  for (const [agent, kept] of edges.load()) graph.restore(agent, kept);
  const watch = new EntryWatch({
    scorer,
    graph,
    membersOf: membersBy(mesh),
    contextSize: (agent) => mesh().agents.get(agent)?.model?.contextTokens ?? null,
    budgetOf: (agent) => {
      const budget = mesh().agents.get(agent)?.model?.budget;
      if (budget === undefined) return null;
      return { micros: budget.moneyPerTask * 1e6, tokens: budget.tokensPerTask ?? null };
    },
    learned: (agent) => {
      const kept = scorer.kept(agent);
      if (kept !== null) store.save(agent, kept).catch(failed);
      const role = scorer.keptRole(agent);
      if (role !== null) store.save(`${rolePrefix}${role.role}`, role.kept).catch(failed);
      const spoken = graph.kept(agent);
      if (spoken !== null) edges.save(agent, spoken).catch(failed);
    },
  });
  return new ScoreWatch(recorder, watch, clock, (raised) => heed(raised, ground), ground.done);
}

/** Not only once it is durable: what isolates an agent does not wait for the disk. */
function heed(raised: Raised, { mesh, clock, recorder, happened, failed }: ScoresGround): void {
  const id = mintUlid(clock, systemRandom);
  recorder.record([raisedEntry(raised, id)]).catch(failed);
  const { scores } = mesh().pace ?? defaultPaceSettings;
  if (scores === 'record') return;
  const { agent, score, at, byContext = false } = raised;
  happened({ kind: 'score', id, agent, score, at, byContext }).catch(failed);
}
