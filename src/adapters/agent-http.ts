// SPDX-License-Identifier: Apache-2.0
import { chmod, chown, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AddressInfo } from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { isTraceparent } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { AgentApi, type ApiAnswer } from '../sidecar/agent-api.ts';
import { eventStream } from '../sidecar/completion-events.ts';
import { agentRequests } from '../sidecar/agent-requests.ts';
import type { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import type { AgentMemory } from '../sidecar/memory.ts';
import { openApiDocument } from '../sidecar/openapi.ts';
import { waitForGridMs } from '../sidecar/refusal-grid.ts';
import { makeFolders } from './folders.ts';

export type AgentHttpOptions = {
  readonly sidecar: AgentSidecar;
  readonly bodyBytesMax: number;
  readonly depthMax: number;
  /** A unix socket that only this user and the group of the agent can reach, or a loopback port. */
  readonly listen:
    | { readonly socketPath: string; readonly gid: number | null }
    | { readonly port: number };
};

export type AgentHttp = { readonly address: string; readonly close: () => Promise<void> };

const flushRefusalsMs = 1_000;
const linkedPaths: ReadonlySet<string> = new Set(['/v1/tasks', '/v1/messages', '/v1/requests']);

type Handler = (input: never, memory: AgentMemory, reply: FastifyReply) => Promise<ApiAnswer>;

/**
 * The sidecar's endpoint for its agent. Everything in a request is the agent's to choose, or a web
 * page's where TCP is used: Host and Origin are checked before anything else is looked at.
 */
export async function serveAgent(options: AgentHttpOptions): Promise<AgentHttp> {
  const server = fastify({
    bodyLimit: options.bodyBytesMax,
    logger: false,
    forceCloseConnections: true,
    requestTimeout: 0,
    exposeHeadRoutes: false,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (_request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void) => {
      const limits = { bytesMax: options.bodyBytesMax, depthMax: options.depthMax };
      const parsed = parseStrictJson(body, { ...limits, membersMax: 20_000, keyLengthMax: 512 });
      if (parsed.ok) done(null, parsed.value);
      else done(new InvalidBody(parsed.code));
    },
  );
  routes(server, options);
  const address = await listen(server, options);
  const { endpointRefusals } = options.sidecar;
  const flush = setInterval(() => endpointRefusals.flush(), flushRefusalsMs);
  flush.unref();
  const close = async (): Promise<void> => {
    clearInterval(flush);
    await server.close();
    endpointRefusals.flush();
  };
  return { address, close };
}

class InvalidBody extends Error {
  readonly code: string;
  readonly statusCode = 400;
  constructor(code: string) {
    super('The body is not strict JSON.');
    this.code = code;
  }
}

function routes(server: FastifyInstance, options: AgentHttpOptions): void {
  const { sidecar } = options;
  const api = new AgentApi(sidecar);
  server.addHook('onRequest', async (request, reply) => {
    if (!isLocalCaller(request, options)) return refuse(reply, 403, 'SIDECAR_ORIGIN_REFUSED', options);
  });
  server.setErrorHandler((error, _request, reply) => {
    const code = error instanceof InvalidBody ? error.code : 'SIDECAR_REQUEST_INVALID';
    const status = statusOf(error);
    if (status >= 500) sidecar.context.report(error);
    return refuse(reply, status, status >= 500 ? 'SIDECAR_BUS_UNREACHABLE' : code, options);
  });
  server.setNotFoundHandler((_request, reply) =>
    refuse(reply, 404, 'SIDECAR_REQUEST_INVALID', options),
  );
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/openapi.json', async () => openApiDocument());
  server.post('/v1/session', async (request, reply) => {
    const input = agentRequests.openSession.safeParse(request.body);
    if (!input.success) return refuse(reply, 400, 'SIDECAR_REQUEST_INVALID', options);
    const opened = await sidecar.openSession(input.data.token);
    if (!opened.ok) return refuse(reply, 401, opened.code, options);
    return reply.code(201).send({
      session: opened.sessionKey,
      incarnation: opened.incarnation,
      agent: sidecar.context.agent.name,
      isolation: sidecar.context.isolation,
    });
  });
  const add = (path: string, shape: z.ZodType, handler: Handler): void => {
    server.post(path, (request, reply) => serve(request, reply, shape, handler, options));
  };
  add('/v1/tasks', agentRequests.startTask, (input, memory) => api.startTask(input, memory));
  add('/v1/tasks/end', agentRequests.endTask, (input, memory) => api.endTask(input, memory));
  add('/v1/mandates', agentRequests.holdMandate, (input, memory) =>
    api.holdMandate(input, memory),
  );
  add('/v1/messages', agentRequests.sendMessage, (input, memory) => api.sendMessage(input, memory));
  add('/v1/requests', agentRequests.requestAction, (input, memory, reply) =>
    api.requestAction(input, memory, closedSignal(reply)),
  );
  add('/v1/chat/completions', agentRequests.complete, (input, memory, reply) =>
    api.complete(input, memory, closedSignal(reply)),
  );
  add('/v1/tools/call', agentRequests.callTool, (input, memory) => api.callTool(input, memory));
  add('/v1/memory/remember', agentRequests.remember, (input, memory) => api.remember(input, memory));
  add('/v1/memory/recall', agentRequests.recall, (input, memory) => api.recall(input, memory));
  add('/v1/knowledge/query', agentRequests.query, (input, memory) => api.query(input, memory));
  add('/v1/inbox', agentRequests.takeMessages, (input, memory, reply) =>
    api.takeMessages(input, memory, closedSignal(reply)),
  );
  add('/v1/inbox/ack', agentRequests.acknowledge, (input, memory) => api.acknowledge(input, memory));
  add('/v1/children', agentRequests.spawn, (input, memory) => api.spawn(input, memory));
  add('/v1/children/end', agentRequests.endChild, (input) => api.endChild(input));
  add('/v1/workflows/changes', agentRequests.changeWorkflow, (input, memory) =>
    api.changeWorkflow(input, memory),
  );
  server.get('/v1/workflows', (request, reply) =>
    serve(request, reply, null, async () => api.listWorkflows(), options),
  );
  server.get('/v1/tools', (request, reply) =>
    serve(request, reply, null, async () => api.listTools(), options),
  );
}

async function serve(
  request: FastifyRequest,
  reply: FastifyReply,
  shape: z.ZodType | null,
  handler: Handler,
  options: AgentHttpOptions,
): Promise<FastifyReply> {
  const { sidecar } = options;
  const askedMs = performance.now();
  const key = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(request.headers.authorization ?? '')?.[1];
  const memory = key === undefined ? null : sidecar.authenticate(key);
  if (memory === null) return refuse(reply, 401, 'SIDECAR_SESSION_UNKNOWN', options);
  const { agent, clock, rates } = sidecar.context;
  if (!rates.take(agent.name, clock.nowMs())) {
    return refuse(reply, 429, 'SIDECAR_RATE_LIMITED', options);
  }
  const body = linked(request);
  const input = shape === null ? { success: true as const, data: null } : shape.safeParse(body);
  if (!input.success) return refuse(reply, 400, 'SIDECAR_REQUEST_INVALID', options);
  const answer = await handler(input.data as never, memory, reply);
  if (answer.body['verdict'] === 'NO-GO' || answer.status >= 400) {
    const { refusalGridMs = 0 } = sidecar.context.mesh.limits;
    await passed(waitForGridMs(performance.now() - askedMs, refusalGridMs));
  }
  if (answer.events === undefined) return reply.code(answer.status).send(answer.body);
  return reply.code(answer.status).header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store').send(eventStream(answer.events));
}

/**
 * What is sent may carry the `traceparent` header of the agent's HTTP client, as if the body had it.
 * Where a body has one already, or takes none, the header is ignored.
 */
function linked({ body, headers, routeOptions }: FastifyRequest): unknown {
  const { traceparent } = headers;
  const takes = linkedPaths.has(routeOptions.url ?? '');
  if (!takes || !isTraceparent(traceparent) || !isJsonObject(body)) return body;
  return Object.hasOwn(body, 'traceparent') ? body : { ...body, traceparent };
}

/** No browser may reach the agent's endpoint, whatever name it resolved to this address. */
function isLocalCaller(request: FastifyRequest, options: AgentHttpOptions): boolean {
  if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    return false;
  }
  if (!('port' in options.listen)) return true;
  const address = request.server.server.address() as AddressInfo | null;
  const host = request.headers.host ?? '';
  return host === `127.0.0.1:${address?.port}` || host === `localhost:${address?.port}`;
}

/** Fires when the agent hangs up before it was answered. */
function closedSignal(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) closed.abort();
  });
  return closed.signal;
}

function refuse(
  reply: FastifyReply,
  status: number,
  code: string,
  options: AgentHttpOptions,
): FastifyReply {
  options.sidecar.endpointRefusals.add(code);
  const agentCode = options.sidecar.context.agentSees(code);
  return reply.code(status).send({ verdict: 'NO-GO', code: agentCode, reason: status === 400 ? code : null });
}

function statusOf(error: unknown): number {
  const status: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'statusCode') : null;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}

async function listen(server: FastifyInstance, { listen }: AgentHttpOptions): Promise<string> {
  if ('port' in listen) return server.listen({ host: '127.0.0.1', port: listen.port });
  const directory = dirname(listen.socketPath);
  // The agent may pass its directory and never write in it: a link that it put there would be
  // followed by this process, which may be root.
  const shared = listen.gid !== null;
  makeFolders(directory, 0o700);
  await chown(directory, process.getuid?.() ?? -1, listen.gid ?? process.getgid?.() ?? -1);
  await chmod(directory, shared ? 0o710 : 0o700);
  await rm(listen.socketPath, { force: true });
  await server.listen({ path: listen.socketPath });
  await chmod(listen.socketPath, shared ? 0o660 : 0o600);
  if (listen.gid !== null) await chown(listen.socketPath, process.getuid?.() ?? -1, listen.gid);
  return listen.socketPath;
}
