// SPDX-License-Identifier: Apache-2.0
import { doubledIds } from './oispec-criteria.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';
import { coverageOf, criteriaOf, takesPart, type Workflow } from './workflow.ts';

/** Gaps between what workflows promise and what agents and judges answer for (OI-1.5). */
export function workflowProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  for (const { name, oispec } of mesh.agents.values()) {
    if (oispec === null) continue;
    for (const id of doubledIds(oispec.criteria)) doubled(problems, name, id);
  }
  const coverage = coverageOf(mesh);
  const existing = criteriaOf(mesh);
  for (const workflow of mesh.workflows?.values() ?? []) {
    const path: Path = ['security_mesh', 'workflows', workflow.name];
    for (const id of doubledIds(workflow.criteria)) doubled(problems, `workflow ${workflow.name}`, id);
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

function doubled(problems: Problems, owner: string, id: string): void {
  problems.inOISpec('MESH_CRITERION_DOUBLED', owner, ['objective'],
    `${JSON.stringify(id)} stands on more than one criterion.`);
}

function referencesOf(workflow: Workflow): readonly string[] {
  return [...new Set(workflow.criteria.flatMap(({ coveredBy }) => coveredBy))];
}
