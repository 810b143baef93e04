// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { Outgoing } from '../message/envelope.ts';
import { isAssignment, mayAssign } from '../mesh/assignment.ts';
import type { SidecarContext } from './context.ts';

/** Why a message may not take this way, whatever it says; null when it may. */
export function routeRefusal(
  outgoing: Outgoing,
  domain: string | null,
  { agent, mesh }: SidecarContext,
): string | null {
  if (domain === null) return 'SIDECAR_DOMAIN_UNDECIDED';
  // Outcomes are the gate's to tell; an agent that writes one would forge what was done.
  if (outgoing.schema === actionOutcomeSchema) return 'SIDECAR_OUTCOME_FORGED';
  const recipient = mesh.agents.get(outgoing.to);
  if (recipient?.role === 'EXECUTOR' && outgoing.schema !== actionRequestSchema) {
    return 'SIDECAR_EXECUTOR_PROSE';
  }
  const assigns = !isAssignment(outgoing) || mayAssign(mesh, agent.name, outgoing.to);
  return assigns ? null : 'SIDECAR_ASSIGN_DENIED';
}
