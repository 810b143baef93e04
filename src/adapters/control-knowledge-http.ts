// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../message/json.ts';

/** Sources of knowledge and agents' memory, as people on this machine may ask about them. */
export type KnowledgeApi = {
  /** Items of shelves whose name begins so: what is known of them, never what is in them. */
  readonly list: (shelf: string) => Promise<readonly JsonObject[]>;
  /** Looks through everything now; gives what somebody should look at. */
  readonly verify: () => Promise<readonly JsonObject[]>;
  /** An operator's signed order, with the documents that its digest is over. */
  readonly order: (
    signed: string,
    attached: JsonValue | null,
  ) => Promise<JsonObject & { readonly code: string | null }>;
};

const order = z.strictObject({
  signed: z.string().min(1).max(8192),
  attached: z.json().default(null),
});
const orderBodyBytesMax = 32 * 1024 * 1024;

export function knowledgeRoutes(server: FastifyInstance, api: KnowledgeApi): void {
  server.get<{ Querystring: { shelf?: string } }>('/v1/knowledge', async (request) => ({
    items: await api.list(request.query.shelf ?? ''),
  }));
  server.post('/v1/knowledge/verify', async () => ({ concerns: await api.verify() }));
  server.post('/v1/knowledge/orders', { bodyLimit: orderBodyBytesMax }, async (request, reply) => {
    const input = order.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_KNOWLEDGE_ORDER_MALFORMED' });
    const answer = await api.order(input.data.signed, input.data.attached);
    return reply.code(answer.code === null ? 200 : 409).send(answer);
  });
}
