// SPDX-License-Identifier: Apache-2.0
import { chmod, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { request as httpRequest } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Approval } from '../oversight/approvals.ts';
import type { ApprovalQuery, ApprovalsFound } from '../oversight/search.ts';
import { ControlError } from '../control/control-error.ts';
import type { Enrolled } from '../control/enrolment.ts';
import type { PolicyAnswer } from '../control/policies.ts';
import { bundleLengthMax, readBundle } from '../mesh/bundle.ts';
import type { MeshBundle } from '../mesh/mesh.ts';
import type { Credential } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { parseJoinToken } from '../identity/join-token.ts';
import type { RecorderOrderAnswer } from '../control/recorder-orders.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { isJsonObject } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import { knowledgeRoutes, type KnowledgeApi } from './control-knowledge-http.ts';
import { workflowRoutes, type WorkflowApi } from './control-workflows-http.ts';
import { makeFolders } from './folders.ts';
import { enrolServerTlsOptions, enrolTlsOptions } from './tls-options.ts';

/** What an operator on the node's machine may ask; the socket's directory is the access control. */
export type ControlApi = {
  readonly status: () => JsonObject;
  readonly approvals: (query: ApprovalQuery) => ApprovalsFound;
  readonly approval: (id: string) => Approval | null;
  readonly decide: (signed: string) => Promise<{ readonly ok: boolean; readonly code: string | null }>;
  /** Puts a probe among the held actions; null once it is there. Which one it is nobody is told. */
  readonly plantProbe: () => Promise<string | null>;
  /** Passkeys of the console: links to register one, and endorsements of those that were. */
  readonly passkeys: {
    readonly link: (operator: string) => string | null;
    readonly passkeys: (operator: string) => readonly JsonObject[];
    readonly endorse: (signed: string) => Promise<{ readonly code: string | null }>;
  };
  /** The version of the policy in force with its texts, and which sidecar runs on which. */
  readonly policy: () => JsonObject;
  /** An operator's signature over a new version and its texts; resolves once it is in force. */
  readonly reload: (signed: string, bundle: MeshBundle) => Promise<PolicyAnswer>;
  readonly workflows: WorkflowApi;
  readonly knowledge: KnowledgeApi;
  /** Registered mandates, newest first; those of one task where it is named. */
  readonly mandates: (task: string | null, limit: number) => readonly JsonObject[];
  /** The chain of a registered mandate; null where there is none. */
  readonly mandateChain: (id: string) => string | null;
  readonly agents: () => readonly JsonObject[];
  /** Texts that travel between agents, the most travelled first. */
  readonly contagion: (limit: number) => readonly JsonObject[];
  readonly agent: (name: string) => JsonObject | null;
  /** An operator's signed revocation, or its lifting; resolves once it holds and is on record. */
  readonly revoke: (signed: string) => Promise<{
    readonly ok: boolean;
    readonly code: string | null;
    readonly version: number | null;
  }>;
  /** Calls in doubt, of every executor that was heard of. */
  readonly calls: () => Promise<readonly JsonObject[]>;
  /** An operator's signed word on one; resolves once its executor answered, or is found away. */
  readonly settleCall: (
    signed: string,
  ) => Promise<{ readonly code: string | null; readonly state: string }>;
  /** An operator's signed order to the recorder, with what its digest is over. */
  readonly recorderOrder: (
    signed: string,
    attached: JsonValue | null,
  ) => Promise<RecorderOrderAnswer>;
  /** An operator's signed order; resolves once the child runs, with its name. */
  readonly spawn: (signed: string) => Promise<JsonObject & { readonly code: string | null }>;
  readonly joinToken: (agent: string) => Promise<{ readonly token: string } | { readonly code: string }>;
  /** Phases, stops, clamps of every agent, and what sidecars said about them. */
  readonly pace: () => JsonObject;
  /** An operator's signed order to PACE; `code` is null once it holds and is on record. */
  readonly orderPace: (signed: string) => Promise<JsonObject>;
  /** A signed statement of the observer; `code` says why it was not believed. */
  readonly observed: (signed: string) => Promise<JsonObject>;
};

export type Listening = { readonly address: string; readonly close: () => Promise<void> };

export const approvalQuery = z.strictObject({
  search: z.string().max(256).default(''),
  state: z.enum(['pending', 'all']).default('all'),
  limit: z.coerce.number().int().min(1).max(20_000).default(1000),
});
const decision = z.strictObject({ signed: z.string().min(1).max(8192) });
const newPolicy = z.strictObject({ signed: z.string().min(1).max(8192), bundle: z.json() });
const recorderOrder = z.strictObject({
  signed: z.string().min(1).max(8192),
  attached: z.json().default(null),
});
/** A plan of what to prune names every range of positions. */
const orderBodyBytesMax = 32 * 1024 * 1024;
const policyBodyBytesMax = 4 * bundleLengthMax;
const linkFor = z.strictObject({ operator: z.string().min(1).max(128) });
const tokenFor = z.strictObject({ agent: z.string().min(1).max(63) });
const enrolment = z.strictObject({
  token: z.string().min(1).max(2048),
  csr: z.string().min(1).max(8192),
});
const enrolBodyBytesMax = 16_384;
const enrolTimeoutMs = 5_000;
/** A spawn is answered once the sidecar of the child serves. */
const answerTimeoutMs = 45_000;

/** Serves the control API on a unix socket in a directory of mode 0700. */
export async function serveControl(socketPath: string, api: ControlApi): Promise<Listening> {
  const server = fastify({ bodyLimit: 65_536, logger: false, forceCloseConnections: true });
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/v1/status', async () => api.status());
  approvalRoutes(server, api);
  passkeyRoutes(server, api);
  server.get('/v1/contagion', async () => ({ lineages: api.contagion(100) }));
  server.get<{ Params: { id: string } }>('/v1/mandates/:id', async (request, reply) => {
    const chain = api.mandateChain(request.params.id);
    return reply.code(chain === null ? 404 : 200).send({ chain });
  });
  server.get<{ Querystring: { task?: string } }>('/v1/mandates', async (request) => ({
    mandates: api.mandates(request.query.task ?? null, 1000),
  }));
  server.get('/v1/agents', async () => ({ agents: api.agents() }));
  server.get<{ Params: { name: string } }>('/v1/agents/:name', async (request, reply) => {
    const agent = api.agent(request.params.name);
    return agent ?? reply.code(404).send({ code: 'CONTROL_AGENT_UNKNOWN' });
  });
  server.get('/v1/policy', async () => api.policy());
  server.post('/v1/policies', { bodyLimit: policyBodyBytesMax }, async (request, reply) => {
    const input = newPolicy.safeParse(request.body);
    const bundle = input.success ? readBundle(input.data.bundle) : null;
    if (!input.success || bundle === null) {
      return reply.code(400).send({ code: 'IDENTITY_POLICY_MALFORMED' });
    }
    const answer = await api.reload(input.data.signed, bundle);
    if (!answer.ok) return reply.code(409).send({ code: answer.code });
    const { version, effective } = answer;
    return { version, effective };
  });
  serveOrders(server, api);
  workflowRoutes(server, api.workflows);
  knowledgeRoutes(server, api.knowledge);
  server.post('/v1/observer', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_PACE_MALFORMED' });
    const answer = await api.observed(input.data.signed);
    return reply.code(answer['code'] === null ? 200 : 409).send(answer);
  });
  server.get('/v1/pace', async () => api.pace());
  server.post('/v1/pace/orders', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_PACE_MALFORMED' });
    const answer = await api.orderPace(input.data.signed);
    return reply.code(answer['code'] === null ? 200 : 409).send(answer);
  });
  server.post('/v1/join-tokens', async (request, reply) => {
    const input = tokenFor.safeParse(request.body);
    const answer = input.success ? await api.joinToken(input.data.agent) : { code: 'CONTROL_AGENT_UNKNOWN' };
    return reply.code('code' in answer ? 404 : 200).send(answer);
  });
  const directory = dirname(socketPath);
  makeFolders(directory, 0o700);
  await chmod(directory, 0o700);
  await rm(socketPath, { force: true });
  await server.listen({ path: socketPath });
  await chmod(socketPath, 0o600);
  return { address: socketPath, close: () => server.close() };
}

/** What operators sign: taken, refused with a code, or repeated. */
function serveOrders(server: FastifyInstance, api: ControlApi): void {
  server.post('/v1/revocations', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_REVOCATION_MALFORMED' });
    const { ok, code, version } = await api.revoke(input.data.signed);
    return reply.code(ok ? 200 : 409).send({ code, version });
  });
  server.get('/v1/calls', async () => ({ calls: await api.calls() }));
  server.post('/v1/calls/settlements', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_SETTLEMENT_MALFORMED' });
    const { code, state } = await api.settleCall(input.data.signed);
    return reply.code(code === null ? 200 : 409).send({ code, state });
  });
  server.post('/v1/recorder/orders', { bodyLimit: orderBodyBytesMax }, async (request, reply) => {
    const input = recorderOrder.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_RECORDER_ORDER_MALFORMED' });
    const answer = await api.recorderOrder(input.data.signed, input.data.attached);
    return reply.code(answer.ok ? 200 : 409).send(answer);
  });
  server.post('/v1/children', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_SPAWN_MALFORMED' });
    const answer = await api.spawn(input.data.signed);
    return reply.code(answer.code === null ? 200 : 409).send(answer);
  });
}

function passkeyRoutes(server: FastifyInstance, { passkeys }: ControlApi): void {
  server.post('/v1/console/links', async (request, reply) => {
    const input = linkFor.safeParse(request.body);
    const link = input.success ? passkeys.link(input.data.operator) : null;
    return link === null ? reply.code(404).send({ code: 'CONSOLE_UNKNOWN' }) : { link };
  });
  server.get<{ Params: { operator: string } }>('/v1/console/passkeys/:operator', async (request) => ({
    passkeys: passkeys.passkeys(request.params.operator),
  }));
  server.post('/v1/console/endorsements', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_PASSKEY_MALFORMED' });
    const { code } = await passkeys.endorse(input.data.signed);
    return reply.code(code === null ? 200 : 409).send({ code });
  });
}

function approvalRoutes(server: FastifyInstance, api: ControlApi): void {
  server.get('/v1/approvals', async (request, reply) => {
    const query = approvalQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send({ code: 'OVERSIGHT_QUERY_MALFORMED' });
    const { search, state, limit } = query.data;
    return api.approvals({ text: search, state, limit });
  });
  server.get<{ Params: { id: string } }>('/v1/approvals/:id', async (request, reply) => {
    const approval = api.approval(request.params.id);
    if (approval !== null) return approval;
    return reply.code(404).send({ code: 'OVERSIGHT_APPROVAL_UNKNOWN' });
  });
  server.post('/v1/approvals/probes', async (_request, reply) => {
    const code = await api.plantProbe();
    return reply.code(code === null ? 200 : 409).send({ code });
  });
  server.post('/v1/approvals/decisions', async (request, reply) => {
    const input = decision.safeParse(request.body);
    if (!input.success) return reply.code(400).send({ code: 'IDENTITY_DECISION_MALFORMED' });
    const answer = await api.decide(input.data.signed);
    return reply.code(answer.ok ? 200 : 409).send({ code: answer.code });
  });
}

/** Asks the control API; rejects when nobody listens on the socket. */
export function askControl(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body: JsonObject | null = null,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  return new Promise((resolve, reject) => {
    const text = body === null ? '' : JSON.stringify(body);
    const request = httpRequest(
      {
        socketPath,
        method,
        path,
        timeout: answerTimeoutMs,
        headers: body === null ? {} : { 'content-type': 'application/json' },
      },
      (response) => {
        readBody(response, 64 * 1024 * 1024).then((bytes) => {
          const value: unknown = JSON.parse(bytes.toString('utf8'));
          resolve({
            status: response.statusCode ?? 500,
            body: isJsonObject(value) ? value : {},
          });
        }, reject);
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('The node did not answer in time.')));
    request.end(text);
  });
}

export type EnrolmentAnswer = {
  readonly chainPem: string;
  readonly bundlePem: string;
  readonly busHost: string;
  readonly busPort: number;
  readonly nodeSpiffeId: string;
};

/** Serves enrolment over TLS without client certificates; a join token is the only way in. */
export async function serveEnrolment(options: {
  readonly host: string;
  readonly port: number;
  readonly credential: Credential;
  readonly bundlePem: string;
  readonly enrol: (token: string, csr: string) => Promise<Enrolled>;
  readonly report: (failure: unknown) => void;
  readonly bus: () => Pick<EnrolmentAnswer, 'busHost' | 'busPort' | 'nodeSpiffeId'>;
}): Promise<Listening & { readonly port: number; readonly rotate: (credential: Credential) => void }> {
  const tls = (credential: Credential) => enrolServerTlsOptions(credential, options.bundlePem);
  const server = createHttpsServer(
    { ...tls(options.credential), handshakeTimeout: enrolTimeoutMs, requestTimeout: enrolTimeoutMs },
    (request, response) => {
      const answer = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      if (request.method !== 'POST' || request.url !== '/v1/enrol') {
        answer(404, { code: 'CONTROL_ENROLMENT_REFUSED' });
        return;
      }
      readBody(request, enrolBodyBytesMax)
        .then(async (bytes) => {
          const json = parseStrictJson(bytes, { ...defaultJsonLimits, bytesMax: enrolBodyBytesMax });
          const input = json.ok ? enrolment.safeParse(json.value) : null;
          if (input?.success !== true) return answer(400, { code: 'CONTROL_ENROLMENT_REFUSED' });
          const enrolled = await options.enrol(input.data.token, input.data.csr);
          if (!enrolled.ok) return answer(403, { code: 'CONTROL_ENROLMENT_REFUSED' });
          return answer(201, { ...enrolled, ...options.bus() });
        })
        .catch((failure: unknown) => {
          options.report(failure);
          answer(503, { code: 'CONTROL_ENROLMENT_REFUSED' });
        });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `${options.host}:${port}`,
    rotate: (credential) => server.setSecureContext(tls(credential)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const enrolmentAnswer = z.object({
  chainPem: z.string(),
  bundlePem: z.string(),
  busHost: z.string(),
  busPort: z.int().min(1).max(65_535),
  nodeSpiffeId: z.string(),
});

/**
 * Joins the mesh with a join token: the token pins the authority, the CSR proves the key. Rejects
 * with `IdentityError` or `ControlError`; a refusal does not say which of token, agent or time was wrong.
 */
export async function askEnrolment(token: string, csr: string): Promise<EnrolmentAnswer> {
  const reading = parseJoinToken(token);
  if (!reading.ok) throw new IdentityError(reading.code, 'The join token cannot be read.');
  const { address, caHash } = reading.claims;
  const split = address.lastIndexOf(':');
  const place = { host: address.slice(0, split), port: Number(address.slice(split + 1)) };
  const tls = await enrolTlsOptions(place, caHash, enrolTimeoutMs);
  const text = await new Promise<string>((resolve, reject) => {
    const request = httpsRequest(
      {
        ...tls,
        ...place,
        method: 'POST',
        path: '/v1/enrol',
        timeout: enrolTimeoutMs,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        if (response.statusCode !== 201) {
          response.resume();
          reject(new ControlError('CONTROL_ENROLMENT_REFUSED', 'The node refused the join token.'));
          return;
        }
        readBody(response, 65_536).then((bytes) => resolve(bytes.toString('utf8')), reject);
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('The node did not answer in time.')));
    request.end(JSON.stringify({ token, csr }));
  });
  return enrolmentAnswer.parse(JSON.parse(text));
}

async function readBody(stream: NodeJS.ReadableStream, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > bytesMax) throw new Error('The body is too large.');
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}
