// SPDX-License-Identifier: Apache-2.0
import type { Criterion } from './oispec.ts';
import type { JudgeSubject } from './judge-settings.ts';
import type { Mesh } from './mesh.ts';

/** Something that can be seen to have happened in a task: a message was sent, an action was done. */
export type Milestone =
  /** `from` null: whoever sent it. */
  | { readonly kind: 'message'; readonly schema: string; readonly from: string | null }
  | { readonly kind: 'action'; readonly action: string };

/** A criterion of a workflow, with what shows that it is met (success) or broken (failure). */
export type WorkflowCriterion = Criterion & {
  /** Criteria of agents (`agent/id`) and judges (`judge/subject/id`) that cover it. */
  readonly coveredBy: readonly string[];
  /** Any of these; empty: nothing that can be seen without a model. */
  readonly shownBy: readonly Milestone[];
};

/** A stretch of a workflow; ends with its milestone, and is evaluated then. */
export type Phase = {
  readonly id: string;
  readonly endsWith: Milestone;
  /** Judges who look at it as a whole once it has ended; absent or empty is nobody. */
  readonly judgedBy?: readonly JudgeSubject[];
  /** Success criteria that have to be shown by its end. */
  readonly criteria: readonly string[];
};

/** One step of a plan; steps that are optional may be left out, never done too early (PG-3.4). */
export type PlanStep = { readonly id: string; readonly does: Milestone; readonly optional: boolean };

/** A sum over all actions of one task, which each of them may keep to and all of them break. */
export type WorkflowSum = {
  readonly id: string;
  readonly of: 'calls' | 'money' | 'records';
  /** Empty: all actions. */
  readonly actions: readonly string[];
  readonly most: number;
};

/** Intents that cannot both be served: what shows each of them. */
export type IntentConflict = { readonly id: string; readonly between: readonly Milestone[] };

/** The OISpec of a workflow (facts a1): what its agents are to reach together. */
export type Workflow = {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly goal: string;
  readonly criteria: readonly WorkflowCriterion[];
  /** In their order; the end of the last one is the end of the workflow. */
  readonly phases: readonly Phase[];
  readonly sums: readonly WorkflowSum[];
  readonly conflicts: readonly IntentConflict[];
  /** In their order; absent or empty: nothing is planned, and no step departs from it. */
  readonly plan?: readonly PlanStep[];
  /** Agents that take part. */
  readonly agents: readonly string[];
  /** SHA-256 (base64url) of the canonical specification. */
  readonly digest: string;
};

/** Everything that a workflow looks for. */
export function milestonesOf({ criteria, phases, conflicts, plan = [] }: Workflow): readonly Milestone[] {
  return [
    ...criteria.flatMap(({ shownBy }) => shownBy),
    ...phases.map(({ endsWith }) => endsWith),
    ...conflicts.flatMap(({ between }) => between),
    ...plan.map(({ does }) => does),
  ];
}

/** One criterion of a workflow, with whoever answers for it; nobody is a gap. */
export type Coverage = {
  readonly workflow: string;
  readonly criterion: string;
  readonly kind: Criterion['kind'];
  /** `agent/criterion` or `judge/subject/criterion`, each of which exists. */
  readonly coveredBy: readonly string[];
};

/**
 * Who answers for every criterion of every workflow (OI-1.5): criteria that the workflow names, and
 * those that bear the same id in the OISpec of an agent that takes part. What is named and does not
 * exist covers nothing.
 */
export function coverageOf(mesh: Mesh): readonly Coverage[] {
  const existing = criteriaOf(mesh);
  return [...(mesh.workflows?.values() ?? [])].flatMap((workflow) =>
    workflow.criteria.map(({ id, kind, coveredBy }) => {
      const named = coveredBy.filter((one) => existing.has(one) && takesPart(one, workflow));
      const alike = workflow.agents.map((agent) => `${agent}/${id}`).filter((one) => existing.has(one));
      return { workflow: workflow.name, criterion: id, kind, coveredBy: [...new Set([...named, ...alike])] };
    }),
  );
}

/** Criteria of agents and judges by the name that a workflow calls them by. */
export function criteriaOf(mesh: Mesh): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, oispec } of mesh.agents.values()) {
    for (const { id } of oispec?.criteria ?? []) names.add(`${name}/${id}`);
  }
  for (const { subject, criteria } of mesh.judge?.subjects ?? []) {
    for (const { id } of criteria) names.add(`judge/${subject}/${id}`);
  }
  return names;
}

/** A judge looks at every workflow; an agent answers for those that it takes part in. */
export function takesPart(criterion: string, workflow: Workflow): boolean {
  const [agent = ''] = criterion.split('/', 1);
  return agent === 'judge' || workflow.agents.includes(agent);
}
