// SPDX-License-Identifier: Apache-2.0
import type { Entry, Loading } from './loading.ts';
import { criteriaIn } from './oispec-criteria.ts';
import { isStatedDigest, oispecDigest } from './oispec-digest.ts';
import { workflowPaceShape, type WorkflowSettings } from './pace-settings.ts';
import { refer } from './resolve-agents.ts';
import type { Milestone, Workflow } from './workflow.ts';
import {
  workflowFileShape, type MilestoneFile, type WorkflowEntry, type WorkflowFile,
} from './workflow-file.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

/** What the section `workflows` says: specifications by name, and every workflow as PACE knows it. */
export type ResolvedWorkflows = {
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly units: ReadonlyMap<string, WorkflowSettings>;
};

/** Workflows, with the specifications that stand in files of their own. */
export function resolveWorkflows(
  loading: Loading,
  entries: readonly Entry<WorkflowEntry>[],
): ResolvedWorkflows {
  const workflows = new Map<string, Workflow>();
  const units = new Map<string, WorkflowSettings>();
  for (const { name, path, value } of entries) {
    const given = typeof value === 'string' ? workflowEntryOf(value) : value;
    const { oispec, agents: named, pace } = given;
    if ((oispec === undefined) === (named === undefined)) loading.reportKey('MESH_WORKFLOW_AGENTS', path);
    for (const agent of named ?? []) refer(loading, 'agents', agent, [...path, 'agents']);
    const filePath = typeof value === 'string' ? path : [...path, 'oispec'];
    const workflow = oispec === undefined ? null : specificationOf(loading, name, oispec, filePath);
    if (workflow !== null) workflows.set(name, workflow);
    units.set(name, {
      name,
      agents: named ?? workflow?.agents ?? [],
      standbys: new Map(Object.entries(pace.standbys)),
      supervised: pace.supervised ?? null,
      dependsOn: pace.depends_on,
      cascade: pace.cascade,
    });
  }
  return { workflows, units };
}

function workflowEntryOf(oispec: string): Exclude<WorkflowEntry, string> {
  return { oispec, pace: workflowPaceShape.parse({}) };
}

/** Null where the file cannot be used, and that is said. */
function specificationOf(loading: Loading, name: string, file: string, path: Path): Workflow | null {
  const source = loading.file(file, path);
  if (source === null) return null;
  const parsed = parseShape(workflowFileShape, source, [], source.value);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  const { objective, agent_intents: agents, oisspec_hash: stated, workflow_id: id, version } = parsed.value;
  for (const agent of agents) refer(loading, 'agents', agent, path);
  const digest = oispecDigest(source.value);
  if (stated !== undefined && !isStatedDigest(stated, digest)) {
    loading.add('MESH_OISPEC_HASH', 'error', source.at(['oisspec_hash']));
  }
  loading.noteOISpec(`workflow ${name}`, source);
  const { goal, aggregate_success_criteria: success, aggregate_failure_criteria: failure } = objective;
  const written = new Map([...success, ...failure].flatMap((one) =>
    typeof one === 'string' ? [] : [[one.id, one] as const]));
  const criteria = criteriaIn(success, failure).map((criterion) => {
    const { covered_by: coveredBy = [], shown_by: shownBy = [] } = written.get(criterion.id) ?? {};
    return { ...criterion, coveredBy, shownBy: shownBy.map(milestoneOf) };
  });
  return { name, id, version, goal, criteria, ...partsOf(parsed.value), agents, digest };
}

function partsOf(
  { phases, sums, conflicts, plan }: WorkflowFile,
): Pick<Workflow, 'phases' | 'sums' | 'conflicts' | 'plan'> {
  return {
    phases: phases.map(({ id, ends_with: end, criteria, judged_by: judgedBy }) =>
      ({ id, endsWith: milestoneOf(end), criteria, judgedBy })),
    plan: plan.map(({ id, does, optional }) => ({ id, does: milestoneOf(does), optional })),
    sums: sums.map(({ id, of, actions, at_most: most }) => ({ id, of, actions, most })),
    conflicts: conflicts.map(({ id, between }) => ({ id, between: between.map(milestoneOf) })),
  };
}

function milestoneOf(given: MilestoneFile): Milestone {
  return 'action' in given
    ? { kind: 'action', action: given.action }
    : { kind: 'message', schema: given.schema, from: given.from ?? null };
}
