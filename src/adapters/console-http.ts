// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { statementRights } from '../console/console-api.ts';
import { approvalQuery } from './control-http.ts';
import {
  refuse, refuseViewer, viewerOf, type ConsoleGround, type ConsoleServing,
} from './console-ground.ts';
import { ConsoleFiles } from './console-files.ts';
import { ConsoleStream } from './console-stream.ts';
import { signInRoutes } from './console-sign-in.ts';

export type ConsoleListening = {
  /** `http://localhost:PORT`: passkeys are bound to this name. */
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
};

const policy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
  "font-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
  "frame-ancestors 'none'", "require-trusted-types-for 'script'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
} as const;

const signedBody = z.strictObject({
  signed: z.string().min(1).max(8192),
  about: z.string().max(64).nullable().default(null),
});
const entriesQuery = z.strictObject({
  kind: z.string().max(64).optional(),
  actor: z.string().max(160).optional(),
  code: z.string().max(64).optional(),
  outcome: z.string().max(16).optional(),
  task: z.string().max(160).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
/** Names of the mesh file, or what somebody types to find them. */
const placeQuery = z.strictObject({
  zone: z.string().max(160).nullable().default(null),
  type: z.string().max(160).nullable().default(null),
  search: z.string().max(160).default(''),
});
const linesQuery = z.strictObject({
  from: z.coerce.number().int().min(0),
  to: z.coerce.number().int().min(0),
});
const fileQuery = z.strictObject({ path: z.string().min(1).max(256) });
const linesMax = 5_000;

/**
 * Serves the console on loopback. Only the name `localhost` is answered, so that no other name that
 * points here becomes it (DNS rebinding); what changes something must come from its own page; roles
 * are asked of the mesh file at each request.
 */
export async function serveConsole(serving: ConsoleServing): Promise<ConsoleListening> {
  const server = fastify({ bodyLimit: 131_072, logger: false, forceCloseConnections: true });
  let port = serving.port;
  const ground: ConsoleGround = {
    ...serving,
    origin: () => `http://localhost:${port}`,
    cookieName: () => `maso_session_${port}`,
  };
  const stream = new ConsoleStream(serving.api, serving.report);
  const files = new ConsoleFiles(serving.folder);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    if (request.headers.host !== `localhost:${port}`) {
      if (request.method === 'GET' && request.headers.host === `127.0.0.1:${port}`) {
        return reply.redirect(`${ground.origin()}${request.url}`, 307);
      }
      return refuse(reply, 403, 'CONSOLE_ORIGIN_REFUSED');
    }
    if (request.method !== 'GET' && !isOwnPage(request, ground)) {
      return refuse(reply, 403, 'CONSOLE_ORIGIN_REFUSED');
    }
    return undefined;
  });
  server.setErrorHandler((failure: Error & { readonly statusCode?: number }, _request, reply) => {
    const status = failure.statusCode ?? 500;
    if (status >= 500) serving.report(failure);
    return refuse(reply, status, 'CONSOLE_REQUEST_MALFORMED');
  });
  signInRoutes(server, ground);
  viewRoutes(server, ground);
  logRoutes(server, ground, stream);
  server.get('*', (request, reply) => files.send(request.url, reply));
  server.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'CONSOLE_UNKNOWN'));
  await server.listen({ host: '127.0.0.1', port: serving.port });
  ({ port } = server.server.address() as AddressInfo);
  return {
    port,
    url: ground.origin(),
    close: async () => {
      stream.close();
      await server.close();
    },
  };
}

function viewRoutes(server: FastifyInstance, ground: ConsoleGround): void {
  const { api } = ground;
  server.get('/api/approvals', async (request, reply) => {
    const viewer = viewerOf(request, ground, 'look');
    if (viewer === null) return refuseViewer(request, reply, ground);
    const query = approvalQuery.safeParse(request.query);
    if (!query.success) return refuse(reply, 400, 'CONSOLE_REQUEST_MALFORMED');
    const { search, state, limit } = query.data;
    return api.approvals({ text: search, state, limit }, viewer);
  });
  server.get('/api/entries', async (request, reply) => {
    const viewer = viewerOf(request, ground, 'look');
    if (viewer === null) return refuseViewer(request, reply, ground);
    const query = entriesQuery.safeParse(request.query);
    if (!query.success) return refuse(reply, 400, 'CONSOLE_REQUEST_MALFORMED');
    const { limit, ...fields } = query.data;
    const asked = Object.entries(fields)
      .flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]]));
    return api.entries(Object.fromEntries(asked), limit);
  });
  server.get<{ Params: { name: string; id?: string } }>('/api/views/:name/:id?', async (request, reply) => {
    const viewer = viewerOf(request, ground, 'look');
    if (viewer === null) return refuseViewer(request, reply, ground);
    const query = placeQuery.safeParse(request.query);
    if (!query.success) return refuse(reply, 400, 'CONSOLE_REQUEST_MALFORMED');
    const { name, id = null } = request.params;
    const shown = await api.view(name, id, viewer, query.data);
    return shown ?? refuse(reply, 404, 'CONSOLE_UNKNOWN');
  });
  for (const [path, right] of entriesOf(statementRights)) {
    server.post(`/api/${path}`, async (request, reply) => {
      const viewer = viewerOf(request, ground, right);
      if (viewer === null) return refuseViewer(request, reply, ground);
      const body = signedBody.safeParse(request.body);
      if (!body.success) return refuse(reply, 400, 'CONSOLE_REQUEST_MALFORMED');
      const { signed, about } = body.data;
      if (signerOf(signed) !== viewer.operator) return refuse(reply, 403, 'CONSOLE_FOREIGN_STATEMENT');
      const answer = await api.take(path, signed, about);
      return reply.code(answer.code === null ? 200 : 409).send(answer);
    });
  }
}

function logRoutes(server: FastifyInstance, ground: ConsoleGround, stream: ConsoleStream): void {
  const { log } = ground.api;
  server.get('/api/stream', (request, reply) => {
    const viewer = viewerOf(request, ground, 'look');
    if (viewer === null) return refuseViewer(request, reply, ground);
    const isStill = () => viewerOf(request, ground, 'look') !== null;
    return stream.serve(request, reply, isStill);
  });
  server.get('/api/log/lines', async (request, reply) => {
    if (viewerOf(request, ground, 'look') === null) return refuseViewer(request, reply, ground);
    const query = linesQuery.safeParse(request.query);
    if (!query.success) return refuse(reply, 400, 'CONSOLE_REQUEST_MALFORMED');
    const { from, to } = query.data;
    const lines: Uint8Array[] = [];
    for await (const line of log.lines(from, Math.min(to, from + linesMax))) lines.push(line, newLine);
    return reply.type('application/octet-stream').send(Buffer.concat(lines));
  });
  server.get('/api/log/file', async (request, reply) => {
    if (viewerOf(request, ground, 'look') === null) return refuseViewer(request, reply, ground);
    const query = fileQuery.safeParse(request.query);
    const bytes = query.success ? await log.file(query.data.path) : null;
    if (bytes === null) return refuse(reply, 404, 'CONSOLE_UNKNOWN');
    return reply.type('application/octet-stream').send(Buffer.from(bytes));
  });
}

const newLine = Buffer.from('\n');

/** Browsers name the page that a request comes from; a form or an image of another is refused. */
function isOwnPage({ headers: given }: FastifyRequest, ground: ConsoleGround): boolean {
  return given.origin === ground.origin() && given['x-maso'] === 'console' &&
    (given['content-type'] ?? '').startsWith('application/json') &&
    (given['sec-fetch-site'] === undefined || given['sec-fetch-site'] === 'same-origin');
}

/** The name in a statement that is not verified yet; it has to be that of who is signed in. */
function signerOf(signed: string): string | null {
  try {
    const [, payload = ''] = signed.split('.');
    const statement: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const operator: unknown = typeof statement === 'object' && statement !== null
      ? Reflect.get(statement, 'operator') : null;
    return typeof operator === 'string' ? operator : null;
  } catch {
    // Not a statement: nobody signed it.
    return null;
  }
}

function entriesOf<Key extends string, Value>(
  record: { readonly [key in Key]: Value },
): readonly (readonly [Key, Value])[] {
  return Object.entries(record) as unknown as readonly (readonly [Key, Value])[];
}
