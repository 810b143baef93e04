// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { JsonObject } from '../message/json.ts';

/** Workflows and the changes that orchestrators propose to them. */
export type WorkflowApi = {
  readonly list: () => Promise<JsonObject>;
  readonly show: (id: string) => Promise<JsonObject | null>;
  /** An operator's signature over the version that a change makes; resolves once it is in force. */
  readonly release: (
    id: string,
    signed: string,
  ) => Promise<
    { readonly ok: true; readonly version: number } | { readonly ok: false; readonly code: string }
  >;
  /** An operator's signed no; null once it is on record. */
  readonly deny: (signed: string) => Promise<string | null>;
};

const statement = z.strictObject({ signed: z.string().min(1).max(8192) });

export function workflowRoutes(server: FastifyInstance, api: WorkflowApi): void {
  server.get('/v1/workflows', async () => api.list());
  server.get<{ Params: { id: string } }>('/v1/workflows/changes/:id', async (request, reply) => {
    const change = await api.show(request.params.id);
    return change ?? reply.code(404).send({ code: 'CONTROL_WORKFLOW_UNKNOWN' });
  });
  server.post<{ Params: { id: string } }>('/v1/workflows/changes/:id/release', async (request, reply) => {
    const input = statement.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_POLICY_MALFORMED' });
    const answer = await api.release(request.params.id, input.data.signed);
    return answer.ok ? { version: answer.version } : reply.code(409).send({ code: answer.code });
  });
  server.post('/v1/workflows/denials', async (request, reply) => {
    const input = statement.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_WORKFLOW_MALFORMED' });
    const code = await api.deny(input.data.signed);
    return reply.code(code === null ? 200 : 409).send({ code });
  });
}
