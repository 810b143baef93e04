// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { signEnvelope } from '../identity/sign-envelope.ts';
import { isWithin } from '../identity/verify-envelope.ts';
import type { AgentContext } from '../label/context.ts';
import type { ValueIndex } from '../label/value-index.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import { textsBeside } from '../message/beside-payload.ts';
import type { EnvelopeBody, Epistemic, Outgoing, SignedEnvelope } from '../message/envelope.ts';
import { mintNonce, mintUlid } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { combine, finding, type CombinedVerdict } from '../review/verdict.ts';
import { bearsPrincipals, principalsOf } from './authority.ts';
import type { SidecarContext } from './context.ts';
import { maskOutgoing } from './mask-outgoing.ts';
import { outboundEntry, withMasked } from './outbound-entry.ts';
import { routeRefusal } from './outbound-route.ts';
import { withNamedFields } from './named-fields.ts';
import { passOn, type AskedMandate } from './pass-on.ts';
import type { HeldMandate } from './ports.ts';
import { reviewContent } from './review.ts';
import { reviewSaying } from './review-saying.ts';
import { onlyDomain } from './only-domain.ts';
import { stampedLabel } from './stamped-label.ts';
import { tokened } from './tokens.ts';
import { sealBody } from './sealing.ts';
import { leaseRefusal, ownRefusal } from './standing.ts';
import { epistemicOf } from './told.ts';
import { asksForWrite } from '../mesh/asks-for-write.ts';
import { withSupervision } from './supervised.ts';

/** Where a message stands in a task. */
export type TaskPlace = {
  readonly task: string;
  readonly hop: number;
  readonly goalHash: string | null;
  /** The agent started the task itself, for a person: its mandates begin here. */
  readonly isOrigin: boolean;
};

/** On whose behalf the sidecar speaks, and what that has read. */
export type Speaker = {
  readonly source: 'user' | 'tool' | 'agent';
  readonly read: AgentContext;
  readonly values: ValueIndex;
  readonly place: TaskPlace;
  /** Held for the task; empty for a gate's answer. */
  readonly mandates: readonly HeldMandate[];
  /** Ids of what was handed over in this task, latest last; the agent has no say in them. */
  readonly inputs: readonly string[];
  /** Where the agent's own tracing says it is; on record as its word. Absent is nowhere. */
  readonly traceparent?: string | null;
  /** Run of the agent's process that says it; absent where the sidecar speaks for a tool. */
  readonly incarnation?: string;
  /** The agent in whose place PACE has this message go to its standby; absent is nobody. */
  readonly insteadOf?: string;
};

export type Sent = {
  readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE';
  readonly id: string;
  readonly task: string;
  readonly code: string | null;
  /** The refusal is evidence of compromise: the agent's session ends. */
  readonly compromised: boolean;
};

/** Codes that show an agent has left its typed interface (PG-1.4): its connection is dropped. */
const compromiseCodes: ReadonlySet<string> = new Set([
  'SCAN_FREE_TEXT',
  'SCAN_TYPE_MISMATCH',
  'MESSAGE_TYPE_MISSING',
  'MESSAGE_TYPE_UNKNOWN',
  'SIDECAR_EXECUTOR_PROSE',
  'SIDECAR_OUTCOME_FORGED',
]);

/**
 * Everything an agent says leaves through here: PACE, reviewing controls, label and causes as the
 * sidecar knows them, signature, bus. The agent chooses recipient, type, schema and payload; what it
 * says about itself is not read. Resolves once the bus has the message durably, or it is refused and
 * the refusal is durable. A message that meets a new version of the policy on its way is judged again
 * under that one, and only then sent.
 */
export async function send(
  given: Outgoing,
  speaker: Speaker,
  context: SidecarContext,
  asked: AskedMandate | null = null,
): Promise<Sent> {
  let sealedAnew = false;
  for (let now = context; ; ) {
    const sent = now.policy.isCurrent() ? await sendUnder(given, speaker, now, asked) : null;
    if (sent?.code === 'PROTECTION_KEY_ROTATED' && !sealedAnew) {
      sealedAnew = true;
      continue;
    }
    if (sent !== null && sent.code !== 'BUS_POLICY_STALE') return sent;
    const next = await now.policy.next();
    if (next === null) {
      const id = mintUlid(now.clock, now.random);
      const stale = single('bus', 'SIDECAR_POLICY_STALE', now);
      return refuse(id, given, speaker, stale, 0, now);
    }
    now = next;
  }
}

async function sendUnder(
  given: Outgoing,
  speaker: Speaker,
  context: SidecarContext,
  asked: AskedMandate | null,
): Promise<Sent> {
  const startedUs = performance.now() * 1000;
  const id = mintUlid(context.clock, context.random);
  const domain = given.domain ?? onlyDomain(given, context);
  const said = await tokened(given.payload, speaker.place.task, context);
  if (!said.ok) {
    const unnamed = single('protection', said.code, context);
    return refuse(id, given, speaker, unnamed, 0, context);
  }
  const spoken = { ...given, payload: said.value };
  const told = epistemicOf(spoken, speaker.place.task, speaker.read, context.mesh);
  const { outgoing, epistemic, masked, isUnfinished } = maskOutgoing(spoken, told, domain, context);
  const reviewed = await reviewOutgoing(outgoing, epistemic, domain, speaker, context);
  // Data that was to be rewritten may not leave in clear because something before it used up the work.
  const verdict = isUnfinished && reviewed.outcome !== 'NO-GO'
    ? single('scanner', 'SCAN_BUDGET', context) : reviewed;
  const tookUs = performance.now() * 1000 - startedUs;
  if (verdict.outcome === 'NO-GO' || domain === null) {
    return refuse(id, outgoing, speaker, verdict, tookUs, context);
  }
  const { task, isOrigin } = speaker.place;
  const standing = { task, isOrigin, held: speaker.mandates };
  const passed = await passOn(outgoing, standing, asked, context);
  if (!passed.ok) {
    const unpassed = single('policy-compliance', passed.code, context);
    return refuse(id, outgoing, speaker, unpassed, tookUs, context);
  }
  const body = stamp(id, { ...outgoing, epistemic }, domain, passed.chain, speaker, context);
  const sealing = sealBody(body, context);
  const sealed = sealing instanceof Promise ? await sealing : sealing;
  if (!sealed.ok) {
    const unsealed = single('protection', sealed.code, context);
    return refuse(id, outgoing, speaker, unsealed, tookUs, context);
  }
  const envelope = signEnvelope(sealed.body, context.credential(), sealed.item);
  if (!isWithin(envelope, context.mesh.limits.messageBytesMax)) {
    return refuse(id, outgoing, speaker, single('bus', 'BUS_TOO_LARGE', context), tookUs, context);
  }
  const entry = withMasked(outboundEntry(body, verdict, speaker, tookUs, context), masked);
  return publish(body, envelope, entry, verdict, context);
}

/** Signed, and as it may travel. */
export type Prepared = {
  readonly envelope: SignedEnvelope;
  readonly entry: EntryDraft;
  readonly expiresAt: number;
};

/**
 * Signs an answer, which is under tokens already, without sending it, so that it can be made durable
 * first; null where it cannot be sealed just now.
 */
export async function prepareAnswer(
  outgoing: Outgoing & { readonly domain: string },
  speaker: Speaker,
  verdict: CombinedVerdict,
  tookUs: number,
  context: SidecarContext,
): Promise<Prepared | null> {
  const id = mintUlid(context.clock, context.random);
  const body = stamp(id, outgoing, outgoing.domain, null, speaker, context);
  const sealed = await sealBody(body, context);
  if (!sealed.ok) return null;
  return {
    envelope: signEnvelope(sealed.body, context.credential(), sealed.item),
    entry: outboundEntry(body, verdict, speaker, tookUs, context),
    expiresAt: body.expiresAt,
  };
}

/**
 * Signs what was signed before once more, as of now and under the present identity; `signed` has its
 * payload unsealed, and under tokens. Null where it cannot be sealed just now.
 */
export async function prepareAgain(
  signed: EnvelopeBody,
  context: SidecarContext,
): Promise<Omit<Prepared, 'expiresAt'> | null> {
  const { mesh, clock, random } = context;
  const issuedAt = clock.nowMs();
  const body: EnvelopeBody = {
    ...signed,
    id: mintUlid(clock, random),
    instance: context.credential().spiffeId,
    issuedAt,
    expiresAt: issuedAt + mesh.limits.messageLifetimeMs,
    nonce: mintNonce(random),
  };
  const inputs = body.inReplyTo === null ? [] : [body.inReplyTo];
  const verdict: CombinedVerdict = { outcome: 'GO', lead: null, verdicts: [] };
  const entry = outboundEntry(body, verdict, { inputs }, 0, context);
  const sealed = await sealBody(body, context);
  return sealed.ok ? { envelope: signEnvelope(sealed.body, context.credential(), sealed.item), entry } : null;
}

async function reviewOutgoing(
  outgoing: Outgoing,
  epistemic: Epistemic | null,
  domain: string | null,
  speaker: Speaker,
  context: SidecarContext,
): Promise<CombinedVerdict> {
  const own = ownRefusal(context) ?? privilegedRefusal(outgoing, context);
  if (own !== null) return single('bus', own, context);
  const clamped = clampRefusal(outgoing, context);
  if (clamped !== null) return single('pace', clamped, context);
  const routed = routeRefusal(outgoing, domain, context);
  if (routed !== null || domain === null) return single('bus', routed ?? 'SIDECAR_DOMAIN_UNDECIDED', context);
  const verdicts = await reviewContent(
    {
      value: outgoing.payload,
      beside: textsBeside({ metadata: outgoing.metadata, epistemic }),
      schemaId: outgoing.schema,
      type: outgoing.type,
      channel: context.agent.originator ? 'user' : 'agent_message',
      classification: context.mesh.domains.get(domain)?.classification ?? 'restricted',
      stream: `${context.agent.name} ${outgoing.to} ${speaker.place.task}`,
      leaves: true,
      towardsPerson: context.mesh.agents.get(outgoing.to)?.originator === true,
    },
    context,
  );
  const said = reviewSaying(outgoing, speaker.place.task, speaker, context);
  return combine(said === null ? verdicts : [...verdicts, said]);
}

/** A request for something dangerous is not even sent while nobody can say who is revoked. */
function privilegedRefusal(outgoing: Outgoing, context: SidecarContext): string | null {
  if (outgoing.schema !== actionRequestSchema) return null;
  const request = parseActionRequest(outgoing.payload);
  const action = request.ok ? context.mesh.actions.get(request.request.action) : undefined;
  return action === undefined ? null : leaseRefusal(action.risk, context);
}

/** PACE: nothing of a stopped agent, nothing new in a halt, no write by one that may only read. */
function clampRefusal(outgoing: Outgoing, context: SidecarContext): string | null {
  const { allows, draining } = context.pace.clamp(context.agent.name);
  if (allows === 'nothing') return 'PACE_STOPPED';
  if (draining === true) return 'PACE_DRAINING';
  return allows === 'read-only' && asksForWrite(outgoing, context.mesh) ? 'PACE_READ_ONLY' : null;
}

/** What the agent has no say in: who, when, how sensitive, from where, caused by what. */
function stamp(
  id: string,
  outgoing: Outgoing,
  domain: string,
  mandate: string | null,
  speaker: Speaker,
  context: SidecarContext,
): EnvelopeBody {
  const { mesh, clock, random, agent, isolation } = context;
  const issuedAt = clock.nowMs();
  const floor = mesh.domains.get(domain)?.classification ?? 'restricted';
  // Members stand in canonical order, which spares sorting them for the signature.
  return {
    causes: { count: speaker.read.count, digest: speaker.read.digest },
    domain,
    epistemic: outgoing.epistemic,
    expiresAt: issuedAt + mesh.limits.messageLifetimeMs,
    from: agent.name,
    goalHash: speaker.place.goalHash,
    hop: speaker.place.hop,
    id,
    inReplyTo: outgoing.inReplyTo,
    instance: context.credential().spiffeId,
    issuedAt,
    label: stampedLabel(speaker.source, speaker.read.label, outgoing.payload, floor, context),
    mandate,
    metadata: withSupervision(outgoing, context),
    nonce: mintNonce(random),
    payload: outgoing.payload,
    principals: bearsPrincipals(outgoing, mesh)
      ? principalsOf(speaker.read.principals, speaker.mandates, mandate)
      : [],
    provenance: { isolation, source: speaker.source },
    schema: outgoing.schema,
    sources: withNamedFields(
      speaker.values.sourcesFor(outgoing.payload), outgoing, speaker, context.store),
    task: speaker.place.task,
    to: outgoing.to,
    type: outgoing.type,
    v: 1,
  };
}

async function publish(
  body: EnvelopeBody,
  envelope: SignedEnvelope,
  entry: EntryDraft,
  verdict: CombinedVerdict,
  context: SidecarContext,
): Promise<Sent> {
  const { expiresAt } = body;
  const policyVersion = context.policy.version;
  const answer = await context.link.publish({
    envelope, entry, expiresAt, policyVersion, resend: false,
  });
  const shared = { id: body.id, task: body.task };
  if (answer.accepted) {
    context.numbers.settle([entry]);
    return { ...shared, outcome: verdict.outcome, code: verdict.lead?.code ?? null, compromised: false };
  }
  context.numbers.giveUp([entry]);
  const compromised = compromiseCodes.has(answer.code);
  return { ...shared, outcome: 'NO-GO', code: answer.code, compromised };
}

/** The one exit of a refusal: durable in the spool before the agent hears of it. */
async function refuse(
  id: string,
  outgoing: Outgoing,
  speaker: Speaker,
  verdict: CombinedVerdict,
  tookUs: number,
  context: SidecarContext,
): Promise<Sent> {
  const code = verdict.lead?.code ?? 'REVIEW_MISSING';
  const compromised = compromiseCodes.has(code);
  const refused: EntryDraft = {
    kind: 'message.refused',
    id: `${id}.refused`,
    at: context.clock.nowMs(),
    actor: `agent:${context.agent.name}`,
    task: speaker.place.task,
    message: id,
    causedBy: speaker.inputs,
    outcome: 'NO-GO',
    code,
    verdicts: verdict.verdicts,
    tookUs: Math.round(tookUs),
    detail: {
      to: outgoing.to,
      schema: outgoing.schema,
      isolation: context.isolation,
      policy: context.policy.version,
    },
  };
  const indicator: EntryDraft = {
    ...refused,
    kind: 'indicator.raised',
    id: `${id}.indicator`,
    causedBy: [refused.id],
    outcome: null,
    verdicts: [],
    tookUs: null,
    detail: { agent: context.agent.name, indicator: 'COMPROMISE', session: 'ended' },
  };
  await context.spool(compromised ? [refused, indicator] : [refused]);
  return { outcome: 'NO-GO', id, task: speaker.place.task, code, compromised };
}

function single(
  control: 'pace' | 'bus' | 'policy-compliance' | 'protection' | 'scanner',
  code: string,
  context: SidecarContext,
): CombinedVerdict {
  return combine([
    {
      outcome: 'NO-GO',
      control,
      version: context.mesh.digest.slice(0, 12),
      tookUs: 0,
      findings: [finding(code, `sidecar/outbound`)],
    },
  ]);
}

/** SHA-256 over the prompt that started a task; travels in every envelope of it. */
export function goalHash(prompt: string): string {
  return createHash('sha256').update(prompt).digest('base64url');
}
