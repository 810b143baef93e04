// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema } from '../message/action-request.ts';
import { challengeAnswerSchema, standingOf } from '../message/challenge.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { isJsonObject } from '../message/json.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Milestone } from '../mesh/workflow.ts';
import type { Mark } from './progress.ts';

/** What of a mesh's traffic later steps depend on; most meshes declare nothing, and watch nothing. */
export type Watched = {
  /** Schemas that are milestones. */
  readonly schemas: ReadonlySet<string>;
  /** Actions whose end is a milestone, or what another action waits for. */
  readonly done: ReadonlySet<string>;
  readonly challengers: ReadonlySet<string>;
  /** Actions that ask what happened before. */
  readonly conditioned: ReadonlySet<string>;
};

const known = new WeakMap<Mesh, Watched>();

/** Computed once for each version of the mesh. */
export function watchedOf(mesh: Mesh): Watched {
  const before = known.get(mesh);
  if (before !== undefined) return before;
  const workflows = [...(mesh.workflows?.values() ?? [])];
  const milestones: readonly Milestone[] = workflows.flatMap(({ criteria, phases, conflicts }) => [
    ...criteria.flatMap(({ shownBy }) => shownBy),
    ...phases.map(({ endsWith }) => endsWith),
    ...conflicts.flatMap(({ between }) => between),
  ]);
  const order = [...mesh.agents.values()].flatMap(({ oispec }) => oispec?.actionOrder ?? []);
  const challenged = [...mesh.actions.values()]
    .filter(({ assurance }) => (assurance?.challengedBy.length ?? 0) > 0);
  const isEvaluated = workflows.some(({ phases, conflicts }) => phases.length + conflicts.length > 0);
  const watched: Watched = {
    schemas: new Set(milestones.flatMap((one) => (one.kind === 'message' ? [one.schema] : []))),
    done: new Set([
      ...milestones.flatMap((one) => (one.kind === 'action' ? [one.action] : [])),
      ...order.flatMap(({ after }) => after),
    ]),
    challengers: new Set(challenged.flatMap(({ assurance }) => assurance?.challengedBy ?? [])),
    conditioned: new Set(isEvaluated
      ? mesh.actions.keys()
      : [...order.map(({ action }) => action), ...challenged.map(({ name }) => name)]),
  };
  known.set(mesh, watched);
  return watched;
}

/** Whether an action may only begin once the node has said what happened in its task before. */
export function isConditioned(action: string | null, mesh: Mesh): boolean {
  return action !== null && watchedOf(mesh).conditioned.has(action);
}

/**
 * What an admitted message makes of its task. Its sender is authenticated, and what it says of an
 * action's end its executor's sidecar has signed; payload members are the agents' own.
 */
export function marksOf(body: EnvelopeBody, mesh: Mesh): readonly Mark[] {
  const { schemas, done, challengers } = watchedOf(mesh);
  const { schema, from, to, type, payload } = body;
  if (schema === actionOutcomeSchema) {
    const { status, action } = isJsonObject(payload) ? payload : { status: null, action: null };
    if (status !== 'DONE' || typeof action !== 'string' || !done.has(action)) return [];
    return [{ kind: 'action', action, by: to }];
  }
  const marks: Mark[] = schemas.has(schema) ? [{ kind: 'message', schema, from }] : [];
  if (challengers.size === 0) return marks;
  const standing = schema === challengeAnswerSchema && challengers.has(from) ? standingOf(payload) : null;
  if (standing !== null) marks.push({ kind: 'challenge', by: from, standing });
  // What is put before a challenger is the question; what anybody else is told has to be challenged.
  else if (type === 'claim' && !challengers.has(to)) marks.push({ kind: 'claim', from });
  return marks;
}
