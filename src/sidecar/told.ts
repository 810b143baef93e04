// SPDX-License-Identifier: Apache-2.0
import type { AgentContext } from '../label/context.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import type { Epistemic, Outgoing } from '../message/envelope.ts';
import type { Mesh } from '../mesh/mesh.ts';

/** Bounds of the envelope; what does not fit is unknown in itself. */
const unknownsMax = 32;

/**
 * What a message says of how sure it is. Of a request for an action that asks for assurance, or that
 * people may be asked about, the sidecar says it: what its process was told in the task, and never what
 * the agent says of it.
 */
export function epistemicOf(
  outgoing: Outgoing,
  task: string,
  { beliefs = [] }: AgentContext,
  mesh: Mesh,
): Epistemic | null {
  if (outgoing.schema !== actionRequestSchema) return outgoing.epistemic;
  const parsed = parseActionRequest(outgoing.payload);
  const action = parsed.ok ? mesh.actions.get(parsed.request.action) : undefined;
  const matters = action !== undefined &&
    (action.assurance !== undefined || action.risk === 'HIGH' || action.risk === 'CRITICAL');
  const belief = matters ? beliefs.find((one) => one.task === task) : undefined;
  if (belief === undefined) return null;
  const { confidence, unknowns } = belief;
  return { confidence, assumptions: [], unknowns: unknowns.slice(0, unknownsMax) };
}
