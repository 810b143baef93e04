// SPDX-License-Identifier: Apache-2.0
import { actionRequestSchema } from '../message/action-request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody, Outgoing } from '../message/envelope.ts';
import { isTraceparent, mintUlid } from '../message/identifiers.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { Right } from '../mandate/mandate.ts';
import type { AgentRequests } from './agent-requests.ts';
import type { AgentSidecar } from './agent-sidecar.ts';
import { whileAgentWaits } from './agent-wait.ts';
import { maskMetadata, maskOrigins } from '../protection/mask-metadata.ts';
import { authorityIn } from './authority.ts';
import { callTool } from './call-tool.ts';
import type { SidecarContext } from './context.ts';
import { doneValues } from './done-values.ts';
import { query, recall, remember, type KnowledgeOutcome } from './knowledge.ts';
import { placeAfter, readingOf, type AgentMemory, type Reading } from './memory.ts';
import { goalHash, type Speaker, type TaskPlace } from './outbound.ts';
import type { AskedMandate } from './pass-on.ts';
import type { InboxMessage } from './ports.ts';
import { proposeChange, workflowsOf } from './change-workflow.ts';
import { spawnChild } from './spawn.ts';
import { sendOrToStandby, type Routed } from './standby-route.ts';
import { callModel } from './call-model.ts';
import { completionEvents } from './completion-events.ts';
import { endTask, holdMandate } from './task-authority.ts';
import { withNames } from './tokens.ts';

/** What the agent hears; `code` is the coarse one, the reason is in the operator's trace. */
/** `events`: the body as a stream of server-sent events, where the agent asked for one. */
export type ApiAnswer = {
  readonly status: number;
  readonly body: JsonObject;
  readonly events?: readonly JsonObject[];
};

const neverClosed = new AbortController().signal;

/** A message as its agent sees it. */
type Handed = JsonObject;

/**
 * The agent's side of the sidecar, apart from any socket: one function a route, each for a session
 * that was authenticated before. The agent is assumed hostile; nothing it says about itself counts.
 */
export class AgentApi {
  readonly #sidecar: AgentSidecar;

  constructor(sidecar: AgentSidecar) {
    this.#sidecar = sidecar;
  }

  get #context(): SidecarContext {
    return this.#sidecar.context;
  }

  async startTask(request: AgentRequests['startTask'], memory: AgentMemory): Promise<ApiAnswer> {
    const { agent, clock, random } = this.#context;
    if (!agent.originator) return this.#refused(403, 'SIDECAR_NOT_ORIGINATOR');
    const place: TaskPlace = {
      task: mintUlid(clock, random),
      hop: 0,
      goalHash: goalHash(canonicalize(request.prompt)),
      isOrigin: true,
    };
    memory.startTask(place);
    const { to, schema, domain, prompt, metadata } = request;
    const outgoing: Outgoing = {
      to,
      schema,
      domain,
      metadata,
      payload: prompt,
      type: 'instruction',
      inReplyTo: null,
      epistemic: null,
      task: place.task,
    };
    const speaker = this.#speaker(memory, place, 'user', request.traceparent);
    const asked = askedMandate(request.mandate);
    return this.#sent(await sendOrToStandby(outgoing, speaker, this.#context, asked), memory);
  }

  async sendMessage(request: AgentRequests['sendMessage'], memory: AgentMemory): Promise<ApiAnswer> {
    const place = this.#placeOf(request.task, request.inReplyTo, memory);
    if (place === null) return this.#refused(403, 'SIDECAR_TASK_UNKNOWN');
    const { mandate, traceparent: linked, ...outgoing } = request;
    const speaker = this.#speaker(memory, place, 'agent', linked);
    const sent = await sendOrToStandby(outgoing, speaker, this.#context, askedMandate(mandate));
    return this.#sent(sent, memory);
  }

  async requestAction(
    request: AgentRequests['requestAction'],
    memory: AgentMemory,
    closed: AbortSignal = neverClosed,
  ): Promise<ApiAnswer> {
    const place = this.#placeOf(request.task, null, memory);
    if (place === null) return this.#refused(403, 'SIDECAR_TASK_UNKNOWN');
    const { to, domain, action, parameters, idempotencyKey, evidence } = request;
    const scope = this.#context.credential().lineage?.scope ?? null;
    if (scope !== null && !scope.requests.includes(action)) {
      return this.#refused(403, 'IDENTITY_SCOPE_EXCEEDED');
    }
    const outgoing: Outgoing = {
      to,
      domain,
      type: 'instruction',
      schema: actionRequestSchema,
      payload: { action, parameters, idempotencyKey, evidence },
      metadata: {},
      inReplyTo: null,
      epistemic: null,
      task: place.task,
    };
    const speaker = this.#speaker(memory, place, 'agent', request.traceparent);
    const sent = await sendOrToStandby(outgoing, speaker, this.#context);
    if (sent.outcome === 'NO-GO') return this.#sent(sent, memory);
    const { deadline } = this.#context;
    const outcome = await whileAgentWaits({ waitMs: request.waitMs, closed, deadline }, (ended) =>
      this.#sidecar.outcomeOf(sent.id, sent.to, ended));
    if (outcome === null) return this.#pendingOutcome(sent);
    const { body } = outcome;
    const done = doneValues(body.payload, action, parameters, this.#context.mesh);
    const reading = { ...readingOf(body), derived: done };
    const isHanded = await this.#handOver([outcome], [reading], [body.id], memory, closed);
    if (!isHanded) return this.#unheard(closed);
    const shown = await withNames(body.payload, body.task, this.#context);
    return {
      status: 200,
      body: {
        messageId: sent.id, task: sent.task, traceId: sent.id, outcome: shown, ...standingIn(sent),
      },
    };
  }

  async callTool(request: AgentRequests['callTool'], memory: AgentMemory): Promise<ApiAnswer> {
    const place = this.#placeOf(request.task, null, memory);
    if (place === null) return this.#refused(403, 'SIDECAR_TASK_UNKNOWN');
    const called = await callTool({ ...request, task: place.task }, memory, this.#context);
    if (!this.#sidecar.isLive(memory)) return this.#refused(401, 'SIDECAR_SESSION_UNKNOWN');
    const done = called.code === null;
    return {
      status: done ? 200 : 403,
      body: {
        callId: called.id,
        task: place.task,
        traceId: called.id,
        verdict: done ? 'GO' : 'NO-GO',
        code: called.code === null ? null : this.#context.agentSees(called.code),
        result: called.result,
      },
    };
  }

  /** Label and inbox state are durable before the agent sees a byte of what is handed over. */
  async takeMessages(
    request: AgentRequests['takeMessages'],
    memory: AgentMemory,
    closed: AbortSignal,
  ): Promise<ApiAnswer> {
    const finished = memory.finish(request.acknowledge);
    finished.catch(() => undefined); // heard below
    const wait = { waitMs: request.waitMs, closed, deadline: this.#context.deadline };
    const messages = await whileAgentWaits(wait, (ended) => this.#sidecar.take(request.max, ended, memory));
    if (messages.length > 0) {
      const readings = messages.map(({ body }) => this.#readingOf(body));
      const isHanded = await this.#handOver(messages, readings, [], memory, closed, finished);
      if (!isHanded) return this.#unheard(closed);
    }
    await finished;
    if (!this.#sidecar.isLive(memory)) return this.#unheard(closed);
    return { status: 200, body: { messages: await Promise.all(messages.map((message) => this.#handed(message))) } };
  }

  #readingOf(body: EnvelopeBody): Reading {
    const { mesh, agent, credential } = this.#context;
    const self = { name: agent.name, spiffeId: credential().spiffeId };
    const reading = readingOf(body, mesh.schemas.get(body.schema)?.prose);
    return { ...reading, family: mesh.agents.get(body.from)?.modelFamily ?? null, authority: authorityIn(body, self, mesh) };
  }

  /**
   * False when the agent is not to see the messages: it hung up, or its session ended meanwhile.
   * Rejects when what it would read is not durable. Either way they wait for the next call.
   */
  async #handOver(
    messages: readonly InboxMessage[],
    readings: readonly Reading[],
    done: readonly string[],
    memory: AgentMemory,
    closed: AbortSignal,
    finished = Promise.resolve(),
  ): Promise<boolean> {
    const isHeard = (): boolean => !closed.aborted && this.#sidecar.isLive(memory);
    let isHanded = false;
    try {
      if (!isHeard()) return false;
      await Promise.all([memory.absorb(readings, messages.map(({ body }) => body.id), done), finished]);
      isHanded = isHeard();
      return isHanded;
    } finally {
      if (!isHanded) this.#sidecar.putBack(messages);
    }
  }

  /** The answer to whoever hung up, or has no session any more. */
  #unheard(closed: AbortSignal): ApiAnswer {
    if (closed.aborted) return { status: 200, body: { messages: [] } };
    return this.#refused(401, 'SIDECAR_SESSION_UNKNOWN');
  }

  async acknowledge(
    request: AgentRequests['acknowledge'],
    memory: AgentMemory,
  ): Promise<ApiAnswer> {
    await memory.absorb([], [], request.ids);
    return { status: 200, body: {} };
  }

  async spawn(request: AgentRequests['spawn'], memory: AgentMemory): Promise<ApiAnswer> {
    const outcome = await spawnChild(request, memory, this.#context);
    if (outcome.state === 'refused') return this.#refused(403, outcome.code);
    return { status: outcome.state === 'held' ? 202 : 200, body: outcome.body };
  }

  async changeWorkflow(
    request: AgentRequests['changeWorkflow'],
    memory: AgentMemory,
  ): Promise<ApiAnswer> {
    const outcome = await proposeChange(request, memory, this.#context);
    if (outcome.state === 'refused') return this.#refused(403, outcome.code);
    return { status: outcome.state === 'held' ? 202 : 200, body: outcome.body };
  }

  listWorkflows(): ApiAnswer {
    return { status: 200, body: workflowsOf(this.#context) };
  }

  async endChild(request: AgentRequests['endChild']): Promise<ApiAnswer> {
    const count = await this.#context.link.endChild(request.child, request.task);
    if (count === null) return this.#refused(503, 'SIDECAR_BUS_UNREACHABLE');
    return { status: 200, body: { verdict: 'GO', code: null, ended: count } };
  }

  async endTask(request: AgentRequests['endTask'], memory: AgentMemory): Promise<ApiAnswer> {
    const code = await endTask(request.task, memory, this.#context);
    return code === null ? { status: 200, body: {} } : this.#refused(403, code);
  }

  async holdMandate(
    request: AgentRequests['holdMandate'],
    memory: AgentMemory,
  ): Promise<ApiAnswer> {
    const held = await holdMandate(request.chain, memory, this.#context);
    return 'task' in held ? { status: 200, body: held } : this.#refused(403, held.code);
  }

  /** The agent's own model; what is refused has the form of an error that its client knows. */
  async complete(
    request: AgentRequests['complete'],
    memory: AgentMemory,
    signal: AbortSignal,
  ): Promise<ApiAnswer> {
    const answer = await callModel(request, memory, signal, this.#context);
    if (answer.ok) {
      const { stream = false, stream_options: options = {} } = request;
      const events = stream ? completionEvents(answer.body, options.include_usage === true) : null;
      return { status: 200, body: answer.body, ...(events === null ? {} : { events }) };
    }
    const code = this.#context.agentSees(answer.code);
    const status = answer.code === 'SIDECAR_MODEL_UNAVAILABLE' ? 502 : 403;
    return { status, body: { error: { message: code, type: 'maso', code, param: null } } };
  }

  remember(request: AgentRequests['remember'], memory: AgentMemory): Promise<ApiAnswer> {
    return this.#known(request.task, memory, (task) =>
      remember({ ...request, task }, memory, this.#context));
  }

  recall(request: AgentRequests['recall'], memory: AgentMemory): Promise<ApiAnswer> {
    return this.#known(request.task, memory, (task) => recall({ ...request, task }, memory, this.#context));
  }

  query(request: AgentRequests['query'], memory: AgentMemory): Promise<ApiAnswer> {
    return this.#known(request.task, memory, (task) => query({ ...request, task }, memory, this.#context));
  }

  /** What was kept or given, unless the session ended meanwhile. */
  async #known(
    asked: string | null,
    memory: AgentMemory,
    work: (task: string) => Promise<KnowledgeOutcome>,
  ): Promise<ApiAnswer> {
    const place = this.#placeOf(asked, null, memory);
    if (place === null) return this.#refused(403, 'SIDECAR_TASK_UNKNOWN');
    const { task } = place;
    const outcome = await work(task);
    if (!this.#sidecar.isLive(memory)) return this.#refused(401, 'SIDECAR_SESSION_UNKNOWN');
    const items = outcome.ok ? outcome.items : [];
    const verdict = outcome.ok ? 'GO' : 'NO-GO';
    const code = outcome.ok ? null : this.#context.agentSees(outcome.code);
    return { status: outcome.ok ? 200 : 403, body: { verdict, code, items, task, traceId: outcome.id } };
  }

  listTools(): ApiAnswer {
    return { status: 200, body: { tools: this.#context.describeTools() } };
  }

  /** Where the agent may stand: a task it was handed, the task of what it answers, or one of its own. */
  #placeOf(task: string | null, inReplyTo: string | null, memory: AgentMemory): TaskPlace | null {
    const { store, clock, random } = this.#context;
    const answered = inReplyTo === null ? null : store.message(inReplyTo);
    if (inReplyTo !== null && answered?.incarnation !== memory.incarnation) return null;
    if (task !== null) return memory.place(task);
    if (answered !== null) return placeAfter(answered.body);
    // A spawned agent has the task that it was spawned for, and what it is handed of it.
    if (this.#context.credential().lineage !== null) return null;
    // A task of its own sheds nothing: the label belongs to the incarnation, not to the task.
    const isOrigin = this.#context.agent.originator;
    const place: TaskPlace = { task: mintUlid(clock, random), hop: 1, goalHash: null, isOrigin };
    memory.startTask(place);
    return place;
  }

  #speaker(
    memory: AgentMemory,
    place: TaskPlace,
    source: 'user' | 'agent',
    linked: string | undefined,
  ): Speaker {
    const inputs = memory.inputs(place.task);
    const mandates = memory.mandates(place.task);
    const traceparent = isTraceparent(linked) ? linked : null;
    const { incarnation, values, context: read } = memory;
    return { source, read, values, place, mandates, inputs, traceparent, incarnation };
  }

  async #sent(sent: Routed, memory: AgentMemory): Promise<ApiAnswer> {
    const ends = sent.compromised && this.#sidecar.isLive(memory);
    if (ends) await this.#sidecar.endCompromised(memory, sent.code ?? 'COMPROMISE');
    const refused = sent.outcome === 'NO-GO';
    return {
      status: refused ? 403 : 202,
      body: {
        verdict: sent.outcome,
        // A doubt that does not stop the message is the operator's to know, not the agent's.
        code: refused && sent.code !== null ? this.#context.agentSees(sent.code) : null,
        messageId: sent.id,
        task: sent.task,
        traceId: sent.id,
        ...standingIn(sent),
      },
    };
  }

  #pendingOutcome(sent: Routed): ApiAnswer {
    const code = this.#context.agentSees('SIDECAR_OUTCOME_PENDING');
    return {
      status: 202,
      body: {
        verdict: 'ESCALATE', code, messageId: sent.id, task: sent.task, traceId: sent.id,
        ...standingIn(sent),
      },
    };
  }

  #refused(status: number, code: string): ApiAnswer {
    this.#sidecar.endpointRefusals.add(code);
    return { status, body: { verdict: 'NO-GO', code: this.#context.agentSees(code) } };
  }

  async #handed({ body }: InboxMessage): Promise<Handed> {
    const domain = this.#context.mesh.domains.get(body.domain);
    return {
      id: body.id,
      from: body.from,
      type: body.type,
      schema: body.schema,
      domain: body.domain,
      task: body.task,
      inReplyTo: body.inReplyTo,
      label: { ...body.label, origins: [...maskOrigins(domain, body.label.origins)] },
      epistemic: body.epistemic as JsonValue,
      metadata: { ...maskMetadata(domain, body.metadata) },
      payload: await withNames(body.payload, body.task, this.#context),
    };
  }
}

/** Told only where another agent than the one that was asked for has the message. */
function standingIn({ standby }: Routed): JsonObject {
  return standby === null ? {} : { standby };
}

/** The rights are read by the parser of mandates before anything is signed. */
function askedMandate(asked: AgentRequests['startTask']['mandate']): AskedMandate | null {
  if (asked === null) return null;
  return { ...asked, rights: asked.rights as unknown as readonly Right[] | null };
}
