// SPDX-License-Identifier: Apache-2.0
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { isAssignment, mayAssign } from '../mesh/assignment.ts';
import { edgesBetween } from '../mesh/edge-index.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Refusal } from './admission-entries.ts';

/**
 * Whether an edge of the mesh file carries this message: its schema, or the action it asks for. Orders
 * need the sender's right to assign work besides.
 */
export function edgeRefusal(body: EnvelopeBody, mesh: Mesh): Refusal | null {
  const edges = edgesBetween(mesh, body.from, body.to).filter(
    (edge) => edge.domain === body.domain,
  );
  if (body.schema === actionRequestSchema) {
    const request = parseActionRequest(body.payload);
    if (!request.ok) return { code: request.code, drop: true, path: request.path };
    const allowed = edges.some((edge) => edge.mayRequest.includes(request.request.action));
    if (allowed) return null;
    return { code: edges.length === 0 ? 'BUS_EDGE_DENIED' : 'BUS_ACTION_DENIED', drop: false };
  }
  if (body.schema === 'action-outcome/1') return outcomeEdgeRefusal(body, mesh);
  const carried = edges.some((edge) => edge.schemas.includes(body.schema));
  if (!carried) return { code: 'BUS_EDGE_DENIED', drop: false };
  // One that only says that it is an instruction has a wrong type, which ends the line later on.
  const gives = isAssignment(body) && mesh.schemas.get(body.schema)?.type === 'instruction';
  return !gives || mayAssign(mesh, body.from, body.to) ? null : { code: 'BUS_ASSIGN_DENIED', drop: false };
}

/** The answer to an action request may travel back along the edge that carried the request. */
function outcomeEdgeRefusal(body: EnvelopeBody, mesh: Mesh): Refusal | null {
  const asked = edgesBetween(mesh, body.to, body.from).some(
    (edge) => edge.domain === body.domain && edge.mayRequest.length > 0,
  );
  return asked && body.inReplyTo !== null ? null : { code: 'BUS_EDGE_DENIED', drop: false };
}
