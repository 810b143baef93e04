// SPDX-License-Identifier: Apache-2.0
import type { Loading } from './loading.ts';
import { criteriaIn } from './oispec-criteria.ts';
import { isStatedDigest, oispecDigest } from './oispec-digest.ts';
import { refer } from './resolve-agents.ts';
import type { Milestone, Workflow } from './workflow.ts';
import { workflowFileShape, type MilestoneFile, type WorkflowFile } from './workflow-file.ts';
import { parseShape } from './zod-diagnostics.ts';

/** The specifications of workflows, each in a file of its own. */
export function resolveWorkflows(
  loading: Loading,
  raw: { readonly [name: string]: unknown },
): Map<string, Workflow> {
  const workflows = new Map<string, Workflow>();
  for (const [name, file] of Object.entries(raw)) {
    const path = ['security_mesh', 'workflows', name];
    const source = typeof file === 'string' ? loading.file(file, path) : null;
    if (source === null) {
      if (typeof file !== 'string') loading.report('MESH_WORKFLOW_FILE', path);
      continue;
    }
    const parsed = parseShape(workflowFileShape, source, [], source.value);
    if (!parsed.ok) {
      loading.diagnostics.push(...parsed.diagnostics);
      continue;
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
    const parts = partsOf(parsed.value);
    workflows.set(name, { name, id, version, goal, criteria, ...parts, agents, digest });
  }
  return workflows;
}

function partsOf({ phases, sums, conflicts }: WorkflowFile): Pick<Workflow, 'phases' | 'sums' | 'conflicts'> {
  return {
    phases: phases.map(({ id, ends_with: end, criteria }) => ({ id, endsWith: milestoneOf(end), criteria })),
    sums: sums.map(({ id, of, actions, at_most: most }) => ({ id, of, actions, most })),
    conflicts: conflicts.map(({ id, between }) => ({ id, between: between.map(milestoneOf) })),
  };
}

function milestoneOf(given: MilestoneFile): Milestone {
  return 'action' in given
    ? { kind: 'action', action: given.action }
    : { kind: 'message', schema: given.schema, from: given.from ?? null };
}
