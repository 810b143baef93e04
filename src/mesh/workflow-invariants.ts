// SPDX-License-Identifier: Apache-2.0
import { doubledIds } from './oispec-criteria.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';
import type { Mesh } from './mesh.ts';
import type { ActionAfter, OISpec } from './oispec.ts';
import { coverageOf, criteriaOf, milestonesOf, takesPart, type Milestone, type Workflow } from './workflow.ts';

/** Gaps between what workflows promise and what agents and judges answer for (OI-1.5). */
export function workflowProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  for (const { name, oispec } of mesh.agents.values()) {
    if (oispec === null) continue;
    for (const id of doubledIds(oispec.criteria)) doubled(problems, name, id);
    specificationProblems(problems, name, oispec, mesh);
  }
  const coverage = coverageOf(mesh);
  const existing = criteriaOf(mesh);
  for (const workflow of mesh.workflows?.values() ?? []) {
    const path: Path = ['security_mesh', 'workflows', workflow.name];
    for (const id of doubledIds(workflow.criteria)) doubled(problems, `workflow ${workflow.name}`, id);
    for (const one of unknownIn(workflow, mesh)) {
      problems.at('MESH_WORKFLOW_UNKNOWN', 'error', path,
        `The workflow ${workflow.name} names ${one}, which does not exist.`);
    }
    for (const one of referencesOf(workflow)) {
      if (existing.has(one) && takesPart(one, workflow)) continue;
      problems.at('MESH_WORKFLOW_REFERENCE', 'error', path,
        `${JSON.stringify(one)} covers nothing in the workflow ${workflow.name}.`);
    }
  }
  for (const { workflow, criterion, coveredBy } of coverage) {
    if (coveredBy.length > 0) continue;
    problems.at('MESH_WORKFLOW_UNCOVERED', 'error', ['security_mesh', 'workflows', workflow],
      `Nobody answers for ${JSON.stringify(criterion)} of the workflow ${workflow}.`);
  }
}

/** How often it is evaluated, and in which order it acts. */
function specificationProblems(problems: Problems, name: string, oispec: OISpec, mesh: Mesh): void {
  const { riskClassification, evaluation = 'every_action', actionOrder = [] } = oispec;
  const isPrivileged = riskClassification === 'HIGH' || riskClassification === 'CRITICAL';
  if (isPrivileged && evaluation !== 'every_action') {
    problems.inOISpec('MESH_EVALUATION_RARE', name, ['evaluation_frequency'],
      `${name} is ${riskClassification} and evaluated ${evaluation.replaceAll('_', ' ')} only.`);
  }
  const named = actionOrder.flatMap(({ action, after }) => [action, ...after]);
  for (const action of new Set(named.filter((one) => !mesh.actions.has(one)))) {
    problems.inOISpec('MESH_ACTION_ORDER', name, ['parameters', 'action_order'],
      `${JSON.stringify(action)} is no action of the mesh file.`);
  }
  for (const { action } of actionOrder) {
    if (!waitsFor(action, action, actionOrder, new Set())) continue;
    problems.inOISpec('MESH_ACTION_ORDER', name, ['parameters', 'action_order'],
      `${JSON.stringify(action)} waits for itself.`);
  }
}

function waitsFor(
  action: string,
  other: string,
  order: readonly ActionAfter[],
  seen: Set<string>,
): boolean {
  const before = order.filter((one) => one.action === action).flatMap(({ after }) => after);
  return before.some((one) => {
    if (one === other) return true;
    if (seen.has(one)) return false;
    seen.add(one);
    return waitsFor(one, other, order, seen);
  });
}

/** What a phase, a sum or a conflict refers to and nobody declares: nothing could ever be seen of it. */
function unknownIn(workflow: Workflow, mesh: Mesh): readonly string[] {
  const { criteria, phases, sums, plan = [] } = workflow;
  const milestones = milestonesOf(workflow);
  const judges = new Set(mesh.judge?.subjects.map(({ subject }) => subject));
  const successes = new Set(criteria
    .filter(({ kind, shownBy }) => kind === 'success' && shownBy.length > 0).map(({ id }) => id));
  return [...new Set([
    ...milestones.flatMap((one) => unknownOf(one, workflow, mesh)),
    ...sums.flatMap(({ actions }) => actions.filter((one) => !mesh.actions.has(one))),
    ...phases.flatMap((phase) => phase.criteria.filter((one) => !successes.has(one))),
    ...phases.flatMap(({ judgedBy = [] }) => judgedBy.filter((one) => !judges.has(one))),
    ...doubledIds(phases).map((id) => `the phase ${id} twice`),
    ...doubledIds(plan).map((id) => `the step ${id} twice`),
  ])];
}

function unknownOf(one: Milestone, { agents }: Workflow, mesh: Mesh): readonly string[] {
  if (one.kind === 'action') return mesh.actions.has(one.action) ? [] : [one.action];
  const isKnown = one.from === null || agents.includes(one.from);
  return [...(mesh.schemas.has(one.schema) ? [] : [one.schema]), ...(isKnown ? [] : [one.from ?? ''])];
}

function doubled(problems: Problems, owner: string, id: string): void {
  problems.inOISpec('MESH_CRITERION_DOUBLED', owner, ['objective'],
    `${JSON.stringify(id)} stands on more than one criterion.`);
}

function referencesOf(workflow: Workflow): readonly string[] {
  return [...new Set(workflow.criteria.flatMap(({ coveredBy }) => coveredBy))];
}
