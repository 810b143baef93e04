// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import { verifyEnvelope } from '../identity/verify-envelope.ts';
import { flowsTo } from '../label/label.ts';
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import { textsBeside } from '../message/beside-payload.ts';
import { isAssignment, mayAssign } from '../mesh/assignment.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import { childRefusal } from '../mesh/child-scope.ts';
import { usurpsPerson } from '../mesh/originator.ts';
import type { JsonObject } from '../message/json.ts';
import { ProtectionError } from '../protection/protection-error.ts';
import { timeFindings } from '../policy/time-box.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { fitEntry } from '../recorder/entry-fit.ts';
import { combine, finding, type CombinedVerdict, type Verdict } from '../review/verdict.ts';
import type { AdmittedRequest } from '../tool/admitted.ts';
import type { Allotted } from './allotments.ts';
import { isGivenTo } from './authority.ts';
import type { SidecarContext } from './context.ts';
import type { InboxMessage } from './ports.ts';
import { reviewContent, type Content } from './review.ts';
import { openBody } from './sealing.ts';
import { ownRefusal } from './standing.ts';

export type Delivery = { readonly envelope: SignedEnvelope; readonly chain: string | null };

export type Received = {
  /** Null when nothing could be proven about the message, or it was received before. */
  readonly message: InboxMessage | null;
  /** The recipient's account of the step; recorded before the bus forgets the message. */
  readonly entries: readonly EntryDraft[];
  /** Resolves when message and account survive a crash here; only then is the bus told. */
  readonly durable: Promise<void>;
};

type Refusal = { readonly code: string; readonly path?: string | null };

/**
 * Everything that reaches an agent comes in here (G1, G3): authenticated again against the mesh's
 * authority and not against the bus, for this agent, fresh, within its clearance, typed, and
 * reviewed by the content controls. The bus forgets the message only when it, or its refusal, is
 * durable here. A message received before changes nothing.
 */
export async function receive(delivery: Delivery, context: SidecarContext): Promise<Received> {
  const startedUs = performance.now() * 1000;
  if (delivery.chain !== null) context.learnPeer(delivery.chain);
  const verified = verifyEnvelope(delivery.envelope, context.peerByThumbprint, {
    bytesMax: context.mesh.limits.messageBytesMax,
    depthMax: context.mesh.limits.depthMax,
  });
  if (!verified.ok) return refuseUnproven(delivery, verified.code, context);
  const { body, item } = verified;
  const refusal = admissionRefusal(body, verified.peer, context);
  const opening = refusal === null ? openBody(body, item, context) : { ok: true as const, body };
  const opened = opening instanceof Promise ? await opening : opening;
  // A key may be long in coming, and what may be received is what may be received now.
  const since = opening instanceof Promise && opened.ok
    ? admissionRefusal(body, verified.peer, context) : null;
  if (!opened.ok && opened.code === 'PROTECTION_UNAVAILABLE') {
    // Nothing was decided: the bus keeps it, and hands it over again.
    throw new ProtectionError(opened.code, 'No key was released for a message.');
  }
  const refused = refusal ?? since ?? (opened.ok ? null : { code: opened.code });
  const read = opened.ok ? opened.body : body;
  const verdict = await reviewDelivery(read, refused, context);
  return exit(read, verdict, performance.now() * 1000 - startedUs, context);
}

async function reviewDelivery(
  body: EnvelopeBody,
  refusal: Refusal | null,
  context: SidecarContext,
): Promise<CombinedVerdict> {
  if (refusal !== null) return combine([busVerdict(refusal, context)]);
  const stream = `${body.from} ${body.to} ${body.task}`;
  const content = await reviewContent({ ...contentOf(body, context), stream }, context);
  return combine([busVerdict(null, context), ...content]);
}

/** A message as the content controls read it. */
export function contentOf(body: EnvelopeBody, { mesh }: SidecarContext): Content {
  const originator = mesh.agents.get(body.from)?.originator === true;
  return {
    value: body.payload,
    beside: textsBeside(body),
    schemaId: body.schema,
    type: body.type,
    channel: originator ? 'user' : 'agent_message',
    classification: body.label.classification,
  };
}

function admissionRefusal(
  body: EnvelopeBody,
  signer: PeerIdentity,
  context: SidecarContext,
): Refusal | null {
  const { agent, clock, mesh } = context;
  const own = ownRefusal(context);
  if (own !== null) return { code: own };
  if (context.revocations.isRevoked(signer)) return { code: 'IDENTITY_REVOKED' };
  if (context.pace.clamp(agent.name).allows === 'nothing') return { code: 'PACE_STOPPED' };
  if (body.to !== agent.name) return { code: 'SIDECAR_RECIPIENT_MISMATCH' };
  if (!(clock.nowMs() < body.expiresAt)) return { code: 'SIDECAR_EXPIRED' };
  if (!flowsTo(body.label.classification, agent.clearance)) return { code: 'BUS_CLEARANCE_EXCEEDED' };
  const sender = mesh.agents.get(body.from);
  const domain = mesh.domains.get(body.domain);
  if (sender === undefined || domain === undefined) return { code: 'BUS_EDGE_DENIED' };
  if (usurpsPerson(body, sender)) return { code: 'BUS_ORIGIN_FORGED' };
  const spawned = childRefusal(body, signer, mesh, clock.nowMs());
  if (spawned !== null) return { code: spawned };
  const { lineage } = context.credential();
  if (lineage !== null && lineage.task !== body.task) return { code: 'IDENTITY_TASK_FOREIGN' };
  if (!domain.allowedRoles.includes(sender.role) || !domain.allowedRoles.includes(agent.role)) {
    return { code: 'BUS_ROLE_DENIED' };
  }
  if (isAssignment(body) && !mayAssign(mesh, body.from, agent.name)) {
    return { code: 'BUS_ASSIGN_DENIED' };
  }
  const mandate = mandateRefusal(body, context);
  if (mandate !== null) return { code: mandate };
  const typed = body.schema === actionRequestSchema || body.schema === actionOutcomeSchema;
  if (agent.role === 'EXECUTOR' && !typed) return { code: 'SIDECAR_EXECUTOR_PROSE' };
  return null;
}

/**
 * A mandate that comes with an instruction is believed before it is kept: what is forged, revoked
 * or not for this agent stops the instruction. One that only shows the sender's right is the
 * sender's own. An action request is looked at by its review, where everything is said about it.
 */
function mandateRefusal(body: EnvelopeBody, context: SidecarContext): string | null {
  const { mandate: chain, task } = body;
  if (chain === null || body.schema === actionRequestSchema) return null;
  const self = { name: context.agent.name, spiffeId: context.credential().spiffeId };
  const sender = { name: body.from, spiffeId: body.instance };
  const audience = isGivenTo(chain, self) ? self : sender;
  const believed = context.verifyMandate(chain, { task, audience, staleSnapshot: 'accept' });
  return believed.ok ? null : believed.code;
}

/** The one exit of a proven message: inbox and account are durable before the bus hears of it. */
function exit(
  body: EnvelopeBody,
  verdict: CombinedVerdict,
  tookUs: number,
  context: SidecarContext,
): Received {
  const refused = verdict.outcome === 'NO-GO';
  const isRequest = body.schema === actionRequestSchema;
  const entries = [context.numbers.numbered(deliveredEntry(body, verdict, tookUs, context))];
  const message: InboxMessage = {
    body,
    state: refused ? 'refused' : isRequest ? 'working' : 'pending',
    entries,
    incarnation: null,
    reply: null,
  };
  const { isNew, durable } = context.store.receive(message);
  if (isNew) return { message, entries, durable };
  context.numbers.giveUp(entries);
  return { message: null, entries: context.store.message(body.id)?.entries ?? entries, durable };
}

function deliveredEntry(
  body: EnvelopeBody,
  verdict: CombinedVerdict,
  tookUs: number,
  context: SidecarContext,
): EntryDraft {
  const refused = verdict.outcome === 'NO-GO';
  return fitEntry({
    kind: refused ? 'message.refused' : 'message.delivered',
    id: `${body.id}.received`,
    at: context.clock.nowMs(),
    actor: `sidecar:${context.agent.name}`,
    task: body.task,
    message: body.id,
    causedBy: [body.id],
    outcome: verdict.outcome,
    code: verdict.lead?.code ?? null,
    verdicts: verdict.verdicts,
    tookUs: Math.round(tookUs),
    detail: {
      from: body.from,
      isolation: context.isolation,
      policy: context.policy.version,
      schema: body.schema,
    },
  });
}

/** Nothing in the message can be believed, not even whom it is from: only its digest is recorded. */
function refuseUnproven(delivery: Delivery, code: string, context: SidecarContext): Received {
  const digest = context.keyedDigest(delivery.envelope);
  const entry: EntryDraft = {
    kind: 'message.refused',
    id: `unproven.${digest}.${context.agent.name}`,
    at: context.clock.nowMs(),
    actor: `sidecar:${context.agent.name}`,
    task: null,
    message: null,
    causedBy: [],
    outcome: 'NO-GO',
    code,
    verdicts: [busVerdict({ code }, context)],
    tookUs: null,
    detail: { bytes: delivery.envelope.length, policy: context.policy.version },
  };
  return { message: null, entries: [context.numbers.numbered(entry)], durable: Promise.resolve() };
}

function busVerdict(refusal: Refusal | null, context: SidecarContext): Verdict {
  return {
    outcome: refusal === null ? 'GO' : 'NO-GO',
    control: 'bus',
    version: context.mesh.digest.slice(0, 12),
    tookUs: 0,
    findings: refusal === null ? [] : [finding(refusal.code, 'sidecar/inbound', refusal.path ?? null)],
  };
}

/** What an agent asks of one of its own tools. */
export type LocalCall = {
  readonly id: string;
  readonly tool: string;
  readonly operation: string;
  readonly arguments: JsonObject;
  readonly idempotencyKey: string;
  readonly task: string;
};

export type LocalAdmission =
  | {
      readonly admitted: AdmittedRequest;
      readonly verdict: CombinedVerdict;
      /** Hears how the read ended. */
      readonly ended: Extract<Allotted, { readonly outcome: 'granted' }>['ended'];
    }
  | { readonly admitted: null; readonly verdict: CombinedVerdict };

/**
 * An agent's call of its own tool is admitted like a message to itself: only reads, only what mesh
 * file and OISpec give it, and never for an executor, whose tools answer to action requests alone.
 */
export async function receiveLocalCall(
  call: LocalCall,
  context: SidecarContext,
): Promise<LocalAdmission> {
  const refusal = localRefusal(call, context);
  const verdicts: Verdict[] = [localVerdict(refusal, context)];
  if (refusal === null) {
    const content = await reviewContent(
      {
        value: call.arguments,
        schemaId: null,
        type: null,
        channel: 'tool_result',
        classification: context.agent.clearance,
        leaves: true,
      },
      context,
    );
    verdicts.push(...content);
  }
  const verdict = combine(verdicts);
  if (verdict.outcome === 'NO-GO') return { admitted: null, verdict };
  const { id, task, tool, operation } = call;
  const allotted = await context.allotments.forRead(id, task, `${tool}.${operation}`);
  if (allotted.outcome !== 'granted') {
    const stopped = localVerdict({ code: allotted.code }, context);
    return { admitted: null, verdict: combine([...verdicts, stopped]) };
  }
  const { beginBeforeMs, ended } = allotted;
  return { admitted: admitRead(call, beginBeforeMs, context, verdict.verdicts), verdict, ended };
}

/** A read that the executor's own policy check needs, for example the ledger's verified payees. */
export function admitRead(
  call: LocalCall,
  beginBeforeMs: number,
  context: SidecarContext,
  verdicts: readonly Verdict[] = [],
): AdmittedRequest {
  const operation = context.mesh.tools.get(call.tool)?.operations.get(call.operation);
  return context.admission.admit({
    id: call.id,
    executor: context.agent.name,
    requester: context.agent.name,
    action: null,
    tool: call.tool,
    operation: call.operation,
    arguments: call.arguments,
    idempotencyKey: call.idempotencyKey,
    risk: 'LOW',
    write: false,
    outputSchema: null,
    timeoutMs: operation?.timeoutMs ?? 10_000,
    task: call.task,
    beginBeforeMs,
    standing: () => ownRefusal(context),
    verdicts,
    privileged: false,
  });
}

function localRefusal(call: LocalCall, context: SidecarContext): Refusal | null {
  const { agent, mesh, pace } = context;
  const own = ownRefusal(context);
  if (own !== null) return { code: own };
  const { allows, draining } = pace.clamp(agent.name);
  if (allows === 'nothing') return { code: 'PACE_STOPPED' };
  if (draining === true) return { code: 'PACE_DRAINING' };
  if (agent.role === 'EXECUTOR') return { code: 'SIDECAR_TOOL_NEEDS_ACTION' };
  const operation = mesh.tools.get(call.tool)?.operations.get(call.operation);
  if (!agent.tools.includes(call.tool) || operation === undefined) {
    return { code: 'SIDECAR_TOOL_NOT_PERMITTED' };
  }
  if (operation.write) return { code: 'SIDECAR_TOOL_NEEDS_ACTION' };
  const permitted = agent.oispec?.permittedTools ?? [];
  const named = permitted.includes(call.tool) || permitted.includes(`${call.tool}.${call.operation}`);
  if (!named) return { code: 'SIDECAR_TOOL_NOT_PERMITTED' };
  const [late] = timeFindings(mesh, [agent], call.task, context.clock.nowMs());
  return late === undefined ? null : { code: late.code };
}

function localVerdict(refusal: Refusal | null, context: SidecarContext): Verdict {
  return {
    outcome: refusal === null ? 'GO' : 'NO-GO',
    control: 'policy-compliance',
    version: context.agent.oispec?.digest.slice(0, 12) ?? 'none',
    tookUs: 0,
    findings: refusal === null ? [] : [finding(refusal.code, 'sidecar/local-call')],
  };
}
