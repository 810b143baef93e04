// SPDX-License-Identifier: Apache-2.0
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { Mesh } from './mesh.ts';

/** True for a request for an action that writes; one that cannot be read may be such a request. */
export function asksForWrite(
  { schema, payload }: Pick<EnvelopeBody, 'schema' | 'payload'>,
  mesh: Pick<Mesh, 'actions'>,
): boolean {
  if (schema !== actionRequestSchema) return false;
  const parsed = parseActionRequest(payload);
  const action = parsed.ok ? mesh.actions.get(parsed.request.action) : undefined;
  return action?.write ?? true;
}
