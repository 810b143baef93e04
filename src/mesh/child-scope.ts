// SPDX-License-Identifier: Apache-2.0
import type { IdentityCode } from '../identity/codes.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import type { Lineage } from '../identity/svid-statement.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { isJsonObject } from '../message/json.ts';
import type { Agent, Mesh } from './mesh.ts';
import { lowerClearance } from './spawn.ts';

/**
 * What stands against a message because its signer was spawned: out of its task, its time or its
 * scope. Read from its certificate, so that bus and recipient each decide by themselves, whatever
 * the other says. Null for agents of the mesh file.
 */
export function childRefusal(
  body: Pick<EnvelopeBody, 'task' | 'schema' | 'payload'>,
  signer: Pick<PeerIdentity, 'name' | 'lineage'>,
  mesh: Mesh,
  nowMs: number,
): IdentityCode | null {
  const lineage = signer.lineage ?? null;
  const isChild = (mesh.agents.get(signer.name)?.fromTemplate ?? null) !== null;
  if (isChild !== (lineage !== null)) return 'IDENTITY_LINEAGE_MISSING';
  if (lineage === null) return null;
  if (!(nowMs < lineage.endsAt)) return 'IDENTITY_LINEAGE_ENDED';
  if (body.task !== lineage.task) return 'IDENTITY_TASK_FOREIGN';
  if (body.schema !== actionRequestSchema) return null;
  const action = isJsonObject(body.payload) ? body.payload['action'] : null;
  const isGiven = typeof action === 'string' && lineage.scope.requests.includes(action);
  return isGiven ? null : 'IDENTITY_SCOPE_EXCEEDED';
}

/** The agent of the mesh file, cut down to what this instance of it was given. */
export function narrowedTo(agent: Agent, lineage: Lineage | null): Agent {
  if (lineage === null) return agent;
  const { tools, clearance } = lineage.scope;
  return {
    ...agent,
    tools: agent.tools.filter((tool) => tools.includes(tool)),
    clearance: lowerClearance(agent.clearance, clearance),
  };
}
