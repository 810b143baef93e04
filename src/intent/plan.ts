// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { Workflow } from '../mesh/workflow.ts';
import type { Asked, Condition } from './condition.ts';
import { isReached, isStepOf, type Mark, type PlacedMark } from './progress.ts';

/**
 * What an action departs from in the plans of the workflows that its requester or executor takes part
 * in (EP-07, PG-3.4): a step that no plan has (substituted), or one that comes while a step before it
 * is not done (skipped, or reordered). Departures wait for a person.
 */
export function departuresOf(
  { action, requester, executor }: Asked,
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Condition[] {
  const planned = [...(mesh.workflows?.values() ?? [])].filter(({ plan = [], agents }) =>
    plan.length > 0 && (agents.includes(requester) || agents.includes(executor)));
  const [first] = planned;
  if (first === undefined) return [];
  const step: Mark = { kind: 'action', action, by: requester };
  const having = planned.filter(({ plan = [] }) => plan.some(({ does }) => isReached(does, step)));
  if (having.length === 0) {
    return [{ outcome: 'ESCALATE', code: 'INTENT_STEP_UNPLANNED', of: `workflow/${first.name}/${action}` }];
  }
  return having.flatMap((workflow) => missingBefore(step, workflow, marks).map((id): Condition =>
    ({ outcome: 'ESCALATE', code: 'INTENT_STEP_EARLY', of: `workflow/${workflow.name}/${id}` })));
}

/** Steps of the plan that had to be done before this one and are not; empty for what is no step. */
export function missingBefore(
  newest: Mark,
  { plan = [], agents }: Workflow,
  marks: readonly PlacedMark[],
): readonly string[] {
  const at = plan.findIndex(({ does }) => isReached(does, newest));
  if (at <= 0) return [];
  const own = marks.map(({ mark }) => mark).filter((mark) => isStepOf({ agents }, mark));
  return plan.slice(0, at)
    .filter(({ does, optional }) => !optional && !own.some((mark) => isReached(does, mark)))
    .map(({ id }) => id);
}
