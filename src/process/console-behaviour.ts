// SPDX-License-Identifier: Apache-2.0
import { watchMs } from '../anomaly/baseline.ts';
import { weights } from '../anomaly/signal.ts';
import { coverageOf } from '../mesh/workflow.ts';
import type { JsonObject } from '../message/json.ts';
import { taskLedger } from '../recorder/task-ledger.ts';
import type { RecordIndex } from '../adapters/record-index-sqlite.ts';
import { defaultPaceSettings } from '../mesh/pace-settings.ts';
import type { Behaviour, FollowedRecord } from './console-follow.ts';
import type { ViewsGround } from './console-views.ts';

/** PACE raises, isolates and contains at these scores (DESIGN section 6, decision 8). */
const scoreLimits = { raises: 40, isolates: 60, contains: 80 } as const;

/** Scores of every agent, the highest first, or one with what is usual for it. */
export function anomalyView(
  id: string | null,
  search: string,
  followed: FollowedRecord,
  { parts, foundations }: ViewsGround,
): JsonObject | null {
  const { mesh } = foundations.live;
  const nowMs = foundations.clock.nowMs();
  const behaviours = new Map(followed.behaviours().map((one) => [one.agent, one]));
  const shown = (name: string): JsonObject => {
    const standing = followed.scorer.standing(name, nowMs);
    return {
      agent: name,
      role: mesh.agents.get(name)?.role ?? null,
      zone: mesh.agents.get(name)?.zone ?? null,
      phase: parts.pace.clamp(name).phase,
      watchedMs: standing === null ? null : Math.max(0, nowMs - standing.firstAt),
      ...behaviourOf(behaviours.get(name) ?? null),
    };
  };
  const common = {
    limits: { ...scoreLimits },
    watchMs,
    weights: { ...weights },
    read: { ...followed.read },
    observer: (mesh.pace ?? defaultPaceSettings).observer === null
      ? null : { consents: parts.pace.privileged() },
  };
  if (id === null) {
    const agents = [...mesh.agents.keys()].filter((name) => name.toLowerCase().includes(search.toLowerCase()) &&
      (behaviours.has(name) || followed.scorer.standing(name, nowMs) !== null));
    const rows = agents.map(shown).sort((a, b) => Number(b['score'] ?? -1) - Number(a['score'] ?? -1));
    return { ...common, total: rows.length, agents: rows.slice(0, agentsShown) };
  }
  if (!mesh.agents.has(id)) return null;
  const baselines = followed.scorer.standing(id, nowMs)?.baselines ?? [];
  return {
    ...common, ...shown(id),
    baselines: baselines.map(({ signal, usual }) => ({ signal, usual: usual.map((one) => ({ ...one })) })),
  };
}

const agentsShown = 500;

function behaviourOf(behaviour: Behaviour | null): JsonObject {
  if (behaviour === null) return { score: null, at: null, reasons: [], history: [], signs: [] };
  const { score, at, reasons, history, signs } = behaviour;
  return {
    score, at, history: [...history],
    reasons: reasons.map((one) => ({ ...one })),
    signs: [...signs].map(([code, count]) => ({ code, count })),
  };
}

/** What agents and workflows are for, who answers for each criterion, and how far agents keep to it. */
export function intentView(followed: FollowedRecord, { foundations }: ViewsGround): JsonObject {
  const { mesh } = foundations.live;
  const scores = new Map(followed.alignment.scores().map((one) => [one.agent, one]));
  const coverage = coverageOf(mesh);
  const criteria = (all: readonly { readonly id: string; readonly text: string; readonly kind: string }[]) =>
    all.map(({ id, text, kind }) => ({ id, text, kind }));
  return {
    read: { ...followed.read },
    agents: [...mesh.agents.values()].map(({ name, role, zone, oispec }) => {
      const score = scores.get(name);
      return {
        name, role, zone,
        oispec: oispec === null ? null : {
          id: oispec.id, version: oispec.version, goal: oispec.goal, risk: oispec.riskClassification,
          criteria: criteria(oispec.criteria), tools: [...oispec.permittedTools],
          actions: [...oispec.permittedActions], prohibited: [...oispec.prohibitedActions],
          saysConstrained: oispec.output !== null,
        },
        alignment: score === undefined ? null : { ...score },
      };
    }),
    workflows: [...(mesh.workflows?.values() ?? [])].map(({ name, goal, version, agents, criteria: own }) => ({
      name, goal, version, agents: [...agents],
      criteria: criteria(own).map((one) => ({
        ...one,
        coveredBy: [...(coverage.find(({ workflow, criterion }) => workflow === name && criterion === one.id)?.coveredBy ?? [])],
      })),
    })),
    runs: followed.workflows.runs().slice(-runsShown).toReversed().map(({ phases, ...run }) =>
      ({ ...run, phases: phases.map((phase) => ({ ...phase, findings: [...phase.findings] })) })),
    judges: (mesh.judge?.subjects ?? []).map(({ subject, criteria: own }) =>
      ({ subject, criteria: own.map(({ id, text }) => ({ id, text })) })),
  };
}

/** What the controls cost over what was read, or, by the id of a task, what that task cost. */
export async function costsView(
  id: string | null,
  followed: FollowedRecord,
  index: () => Promise<RecordIndex>,
): Promise<JsonObject | null> {
  if (id === null) {
    const { controls, tasks, judge, people, tools, naive, ...sums } = followed.costs.cost();
    return {
      ...sums,
      read: { ...followed.read },
      controls: controls.map((row) => ({ ...row })), tasks: [...tasks],
      judge: { ...judge }, people: { ...people }, tools: { ...tools }, naive: { ...naive },
    };
  }
  const opened = await index();
  await opened.catchUp();
  const found = taskLedger(id, await opened.query({ task: id }, ledgerEntriesMax));
  if (found === null) return null;
  const { hops, controls, judge, models, people, tools, naive, ...facts } = found;
  return {
    ...facts,
    hops: hops.map((hop) => ({ ...hop })), controls: controls.map((row) => ({ ...row })),
    judge: { ...judge }, models: { ...models }, people: { ...people }, tools: { ...tools }, naive: { ...naive },
  };
}

const ledgerEntriesMax = 10_000;
const runsShown = 50;
