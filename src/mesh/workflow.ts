// SPDX-License-Identifier: Apache-2.0
import type { Criterion } from './oispec.ts';
import type { Mesh } from './mesh.ts';

/** The OISpec of a workflow (facts a1): what its agents are to reach together. */
export type Workflow = {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly goal: string;
  /** With the criteria of agents (`agent/id`) and judges (`judge/subject/id`) that cover each. */
  readonly criteria: readonly (Criterion & { readonly coveredBy: readonly string[] })[];
  /** Agents that take part. */
  readonly agents: readonly string[];
  /** SHA-256 (base64url) of the canonical specification. */
  readonly digest: string;
};

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
