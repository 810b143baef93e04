// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema } from '../message/action-request.ts';
import { challengeAnswerSchema, standingOf } from '../message/challenge.ts';
import {
  answersSomething, clarificationAnswerSchema, clarificationSchema,
} from '../message/clarification.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { milestonesOf } from '../mesh/workflow.ts';
import { valueAt } from '../message/json-pointer.ts';
import type { Mark } from './progress.ts';

/** What of a mesh's traffic later steps depend on; most meshes declare nothing, and watch nothing. */
export type Watched = {
  /** Schemas that are milestones. */
  readonly schemas: ReadonlySet<string>;
  /** Actions whose end is a milestone, or what another action waits for. */
  readonly done: ReadonlySet<string>;
  readonly challengers: ReadonlySet<string>;
  /** Whether agents can ask back, or somebody says what makes an instruction unclear. */
  readonly clarity: boolean;
  /** Actions that ask what happened before. */
  readonly conditioned: ReadonlySet<string>;
};

const known = new WeakMap<Mesh, Watched>();

/** Computed once for each version of the mesh. */
export function watchedOf(mesh: Mesh): Watched {
  const before = known.get(mesh);
  if (before !== undefined) return before;
  const workflows = [...(mesh.workflows?.values() ?? [])];
  const milestones = workflows.flatMap(milestonesOf);
  const order = [...mesh.agents.values()].flatMap(({ oispec }) => oispec?.actionOrder ?? []);
  const challenged = [...mesh.actions.values()]
    .filter(({ assurance }) => (assurance?.challengedBy.length ?? 0) > 0);
  const isEvaluated = workflows.some(({ phases, conflicts, plan = [] }) =>
    phases.length + conflicts.length + plan.length > 0);
  const clarity = [...mesh.schemas.values()].some(({ unclearWithout = [] }) => unclearWithout.length > 0) ||
    mesh.edges.some(({ schemas }) => schemas.includes(clarificationSchema));
  const watched: Watched = {
    schemas: new Set(milestones.flatMap((one) => (one.kind === 'message' ? [one.schema] : []))),
    done: new Set([
      ...milestones.flatMap((one) => (one.kind === 'action' ? [one.action] : [])),
      ...order.flatMap(({ after }) => after),
    ]),
    challengers: new Set(challenged.flatMap(({ assurance }) => assurance?.challengedBy ?? [])),
    clarity,
    conditioned: new Set(isEvaluated || clarity
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
  const { schemas, done, challengers, clarity } = watchedOf(mesh);
  const { schema, from, to, type, payload } = body;
  if (schema === actionOutcomeSchema) {
    const { status, action } = isJsonObject(payload) ? payload : { status: null, action: null };
    if (status !== 'DONE' || typeof action !== 'string' || !done.has(action)) return [];
    return [{ kind: 'action', action, by: to }];
  }
  const marks: Mark[] = schemas.has(schema) ? [{ kind: 'message', schema, from }] : [];
  if (clarity) marks.push(...clarityMarks(body, mesh));
  if (challengers.size === 0) return marks;
  const standing = schema === challengeAnswerSchema && challengers.has(from) ? standingOf(payload) : null;
  if (standing !== null) marks.push({ kind: 'challenge', by: from, standing });
  // What is put before a challenger is the question; what anybody else is told has to be challenged.
  else if (type === 'claim' && !challengers.has(to)) marks.push({ kind: 'claim', from });
  return marks;
}

/** Who could not know what was wanted, who asked back, and whom an answer reached (PG-1.6, PG-2.10). */
function clarityMarks({ schema, from, to, payload }: EnvelopeBody, mesh: Mesh): readonly Mark[] {
  if (schema === clarificationSchema) return [{ kind: 'clarification', by: from, of: to }];
  if (schema === clarificationAnswerSchema) {
    return answersSomething(payload) ? [{ kind: 'clarified', agent: to, by: from }] : [];
  }
  const without = mesh.schemas.get(schema)?.unclearWithout ?? [];
  return without.some((pointer) => isEmpty(valueAt(payload, pointer))) ? [{ kind: 'unclear', from, to }] : [];
}

function isEmpty(value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return value.trim() === '';
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
