// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { actionOutcomeSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';

/** One message of a task, kept while a judge may have to look at the task as a whole. */
export type Step = {
  readonly about: string;
  readonly from: string;
  readonly to: string;
  /** Said by an originator: what the task is for. Absent is false. */
  readonly isGoal?: boolean;
  /** What an agent wrote: hostile. Null where it is sealed, or too long to be kept. */
  readonly content: JsonValue | null;
};

/** What is kept of one task; the oldest gives way. */
export const stepsMax = 64;
const contentMax = 2_000;

const known = new WeakMap<Mesh, ReadonlySet<string>>();

/**
 * The step that a message is in some workflow with a judged phase, or null: what nobody will judge is
 * not kept. Whoever starts a task says what it is for, so that what was done can be held against it
 * (PG-2.2). Outcomes of actions say what the requests said, and are none.
 */
export function stepOf({ from, to, schema, domain, payload }: EnvelopeBody, mesh: Mesh): Step | null {
  const agents = known.get(mesh) ?? judgedAgents(mesh);
  known.set(mesh, agents);
  const isGoal = agents.has(to) && mesh.agents.get(from)?.originator === true;
  if ((!agents.has(from) && !isGoal) || schema === actionOutcomeSchema) return null;
  const isOpen = mesh.domains.get(domain)?.tier === 'PLAINTEXT';
  const isShort = isOpen && canonicalize(payload).length <= contentMax;
  return { about: schema, from, to, ...(isGoal ? { isGoal } : {}), content: isShort ? payload : null };
}

function judgedAgents(mesh: Mesh): ReadonlySet<string> {
  const judged = [...(mesh.workflows?.values() ?? [])]
    .filter(({ phases }) => phases.some(({ judgedBy = [] }) => judgedBy.length > 0));
  return new Set(judged.flatMap(({ agents }) => agents));
}
