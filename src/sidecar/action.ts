// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { verifyOperatorDecision } from '../identity/operator-signature.ts';
import { freshContext } from '../label/context.ts';
import { joinLabels } from '../label/label.ts';
import { ValueIndex } from '../label/value-index.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionOutcomeSchema, type ActionOutcome, type ActionRequest } from '../message/action-request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { combine, type CombinedVerdict, type Verdict } from '../review/verdict.ts';
import type { GateOutcome } from '../tool/gate-outcome.ts';
import type { Hold } from '../wire/frame.ts';
import type { SidecarContext } from './context.ts';
import { admitRead } from './inbound.ts';
import { placeAfter } from './memory.ts';
import { prepareAnswer, type Speaker } from './outbound.ts';
import type { Decided, InboxMessage } from './ports.ts';

export type Worked =
  | { readonly state: 'answered' }
  /** Waits for people; taken up again when the node reports their decision. */
  | { readonly state: 'held' };

type Reviewed = {
  readonly request: ActionRequest;
  readonly manifest: ActionManifest | null;
  readonly verdict: CombinedVerdict;
};

/**
 * An admitted action request at its executor: the policy compliance check, people where the verdict
 * or the manifest asks for them, then the gate. Whatever happens is answered once, with an answer
 * that is durable before it is sent; taking the same message up again after a crash repeats the
 * answer and never the tool call. Seed 000 section 3, EC-2.1.
 */
export async function workOn(
  message: InboxMessage,
  decided: Decided | null,
  context: SidecarContext,
): Promise<Worked> {
  if (message.reply !== null) return sendReply(message, message.reply, true, context);
  const { body } = message;
  const startedUs = performance.now() * 1000;
  const reviewed = await review(message, context);
  const approved = decided === null ? null : await verifyApproval(decided, body, context);
  const settled = applyDecision(reviewed, decided, approved, context);
  const waits = decided === null && mustHold(reviewed) && settled.outcome === 'ESCALATE';
  const tookUs = performance.now() * 1000 - startedUs;
  if (!(await recordReview(body, reviewed, settled, tookUs, context))) {
    return answer(message, refusal(reviewed, 'SIDECAR_RECORD_UNAVAILABLE', context), settled, context);
  }
  if (waits) return holdForPeople(message, reviewed, context);
  if (settled.outcome === 'NO-GO' || reviewed.manifest === null) {
    const code = settled.lead?.code ?? 'REVIEW_MISSING';
    return answer(message, refusal(reviewed, code, context), settled, context);
  }
  const ran = await run(body, reviewed.request, reviewed.manifest, context);
  return answer(message, outcomeOf(reviewed, ran, context), settled, context, ran);
}

async function review(message: InboxMessage, context: SidecarContext): Promise<Reviewed> {
  const { body } = message;
  const parsed = parseActionRequest(body.payload);
  const request = parsed.ok
    ? parsed.request
    : { action: 'unknown', parameters: {}, idempotencyKey: body.id, evidence: [] };
  const manifest = context.mesh.actions.get(request.action) ?? null;
  const trusted = await trustedValues(manifest, body, context);
  const verdict = context.compliance.review({
    request,
    executor: context.agent,
    requester: {
      agent: body.from,
      label: body.label,
      sources: body.sources,
      hop: body.hop,
      isolation: body.provenance.isolation,
    },
    domain: body.domain,
    paceClamp: context.pace.clamp(context.agent.name),
    isolation: context.isolation,
    trustedValues: (source) => trusted.get(source) ?? null,
    capUsed: (action, parameter) =>
      context.store.reserved(action, parameter, context.clock.nowMs() - 3_600_000),
    approvals: [],
    nowMs: context.clock.nowMs(),
  });
  return { request, manifest, verdict: combine([...contentVerdicts(message), verdict]) };
}

/** What the content controls said when the message was received. */
function contentVerdicts(message: InboxMessage): readonly Verdict[] {
  return message.entries.flatMap((entry) => entry.verdicts);
}

/**
 * Values that the executor's own tool vouches for (`from: [bank.verified_payees.name]`), read afresh
 * through the gate for this request. A read that fails vouches for nothing.
 */
async function trustedValues(
  manifest: ActionManifest | null,
  body: EnvelopeBody,
  context: SidecarContext,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>();
  const wanted = new Set<string>();
  for (const parameter of manifest?.sensitive.values() ?? []) {
    for (const source of parameter.from) if (source.includes('.')) wanted.add(source);
  }
  const operations = new Set([...wanted].map((source) => source.split('.').slice(0, 2).join('.')));
  for (const name of operations) {
    const [tool = '', operation = ''] = name.split('.');
    const declared = context.mesh.tools.get(tool)?.operations.get(operation);
    if (!context.agent.tools.includes(tool) || declared === undefined || declared.write) continue;
    const call = {
      id: `${body.id}.${name}`,
      tool,
      operation,
      arguments: {},
      idempotencyKey: `${body.id}.${name}.${context.clock.nowMs()}`,
      task: body.task,
    };
    const ran = await context.gate.call(admitRead(call, context));
    if (ran.status !== 'DONE') continue;
    for (const { value, source } of new ValueIndex().indexValues(ran.result, ran.sourceOf)) {
      if (wanted.has(source)) found.set(source, (found.get(source) ?? new Set()).add(value));
    }
  }
  return found;
}

/** DESIGN 6.1: only a HIGH or CRITICAL action, or one that policy sends to people, is held. */
function mustHold(reviewed: Reviewed): boolean {
  const risk = reviewed.manifest?.risk ?? 'CRITICAL';
  const byPolicy = reviewed.verdict.verdicts.some(
    (verdict) => verdict.control === 'policy-compliance' && verdict.outcome === 'ESCALATE',
  );
  return byPolicy || risk === 'HIGH' || risk === 'CRITICAL';
}

/** People release a hold; they never turn a refusal into permission. */
function applyDecision(
  reviewed: Reviewed,
  decided: Decided | null,
  approvedBy: readonly string[] | null,
  context: SidecarContext,
): CombinedVerdict {
  const { verdict } = reviewed;
  if (verdict.outcome === 'NO-GO') return verdict;
  if (decided !== null && approvedBy === null) {
    const code = denialCode(decided);
    return combine([...verdict.verdicts, humanVerdict('NO-GO', code, context)]);
  }
  if (verdict.outcome !== 'ESCALATE') return verdict;
  if (approvedBy !== null && approvedBy.length >= approvalsNeeded(reviewed.manifest)) {
    const released = verdict.verdicts.filter((one) => one.outcome !== 'ESCALATE');
    return combine([...released, humanVerdict('GO', null, context)]);
  }
  if (mustHold(reviewed)) return verdict;
  // LOW and MEDIUM go on; the ESCALATE stays on record for later judgement.
  return { ...verdict, outcome: 'GO', lead: null };
}

function denialCode(decided: Decided): string {
  switch (decided.outcome) {
    case 'approved':
      return 'SIDECAR_APPROVAL_INVALID';
    case 'denied':
      return 'CONTROL_APPROVAL_DENIED';
    case 'expired':
      return 'CONTROL_APPROVAL_EXPIRED';
    default:
      return decided.outcome satisfies never;
  }
}

function humanVerdict(
  outcome: 'GO' | 'NO-GO',
  code: string | null,
  context: SidecarContext,
): Verdict {
  const findings =
    code === null
      ? []
      : [{ code, rule: 'human/approval', path: null, start: null, end: null, digest: null }];
  return { outcome, control: 'human', version: context.mesh.digest.slice(0, 12), tookUs: 0, findings };
}

/**
 * The operators whose signatures over exactly this request hold, each counted once; null when there
 * are too few or any of them denied. The node only carries the signatures.
 */
async function verifyApproval(
  decided: Decided,
  body: EnvelopeBody,
  context: SidecarContext,
): Promise<readonly string[] | null> {
  if (decided.outcome !== 'approved') return null;
  const digest = requestDigest(body, context.agent.name);
  const operators = context.operators();
  const approvers = new Set<string>();
  for (const signed of decided.decisions) {
    const verified = verifyOperatorDecision(signed, (name) => operators.get(name)?.publicKey ?? null);
    if (!verified.ok) return null;
    const { statement } = verified;
    if (statement.digest !== digest || statement.approval !== decided.approval) return null;
    if (statement.decision !== 'approve') return null;
    approvers.add(statement.operator);
  }
  const parsed = parseActionRequest(body.payload);
  const action = parsed.ok ? (context.mesh.actions.get(parsed.request.action) ?? null) : null;
  return approvers.size >= approvalsNeeded(action) ? [...approvers] : null;
}

export function approvalsNeeded(manifest: ActionManifest | null): 1 | 2 {
  return manifest === null || manifest.risk === 'CRITICAL' ? 2 : 1;
}

/** What an approval is bound to: approve one thing, run that thing. */
export function requestDigest(body: EnvelopeBody, executor: string): string {
  const text = canonicalize({ executor, message: body.id, request: body.payload });
  return createHash('sha256').update(text).digest('base64url');
}

async function holdForPeople(
  message: InboxMessage,
  reviewed: Reviewed,
  context: SidecarContext,
): Promise<Worked> {
  const { body } = message;
  const held: Hold = {
    message: body.id,
    task: body.task,
    executor: context.agent.name,
    requester: body.from,
    rootOrigin: rootOrigin(body),
    action: reviewed.request.action,
    risk: reviewed.manifest?.risk ?? 'CRITICAL',
    reversibility: reviewed.manifest?.reversibility ?? 'irreversible',
    parameters: reviewed.request.parameters,
    digest: requestDigest(body, context.agent.name),
    approvalsNeeded: approvalsNeeded(reviewed.manifest),
    reasons: reviewed.verdict.verdicts.flatMap((verdict) => verdict.findings.map((f) => f.code)),
    expiresAt: body.issuedAt + context.mesh.limits.approvalTimeoutMs,
  };
  await context.store.setState(body.id, 'held');
  // The node may be away: a held message is offered again on every reconnection.
  await context.link.hold(held);
  return { state: 'held' };
}

/** Who set this off: the first untrusted origin, else whoever asked. */
function rootOrigin(body: EnvelopeBody): string {
  return body.label.origins.find((origin) => origin.startsWith('tool:')) ?? `agent:${body.from}`;
}

async function run(
  body: EnvelopeBody,
  request: ActionRequest,
  manifest: ActionManifest,
  context: SidecarContext,
): Promise<GateOutcome> {
  const key = `${body.from} ${request.idempotencyKey}`;
  for (const [parameter] of manifest.caps) {
    const amount = request.parameters[parameter];
    await context.store.reserve({
      key,
      action: manifest.name,
      parameter,
      amount: typeof amount === 'number' ? amount : Number.NaN,
      atMs: context.clock.nowMs(),
    });
  }
  const ran = await context.gate.call(
    context.admission.admit({
      id: body.id,
      executor: context.agent.name,
      requester: body.from,
      action: manifest.name,
      tool: manifest.tool,
      operation: manifest.operation,
      arguments: request.parameters,
      idempotencyKey: request.idempotencyKey,
      risk: manifest.risk,
      write: manifest.write,
      outputSchema: manifest.output,
      timeoutMs: manifest.timeoutMs,
      task: body.task,
      privileged: manifest.risk === 'HIGH' || manifest.risk === 'CRITICAL',
    }),
  );
  if (ran.status === 'REFUSED' || ran.status === 'FAILED') await context.store.releaseReservation(key);
  return ran;
}

function refusal(reviewed: Reviewed, code: string, context: SidecarContext): ActionOutcome {
  return {
    action: reviewed.request.action,
    idempotencyKey: reviewed.request.idempotencyKey,
    status: 'REFUSED',
    code: context.agentSees(code),
    result: null,
  };
}

function outcomeOf(reviewed: Reviewed, ran: GateOutcome, context: SidecarContext): ActionOutcome {
  const done = ran.status === 'DONE';
  return {
    action: reviewed.request.action,
    idempotencyKey: reviewed.request.idempotencyKey,
    status: ran.status,
    code: done || ran.code === null ? null : context.agentSees(ran.code),
    result: done ? ran.result : null,
  };
}

/** Signed and durable first, then sent: a crash in between repeats this very answer. */
async function answer(
  message: InboxMessage,
  outcome: ActionOutcome,
  verdict: CombinedVerdict,
  context: SidecarContext,
  ran: GateOutcome | null = null,
): Promise<Worked> {
  const { body } = message;
  const reply = prepareAnswer(
    {
      to: body.from,
      type: 'data',
      schema: actionOutcomeSchema,
      domain: body.domain,
      payload: outcome as unknown as JsonValue,
      metadata: {},
      inReplyTo: body.id,
      epistemic: null,
      task: body.task,
    },
    answerSpeaker(body, ran),
    { ...verdict, verdicts: [] },
    0,
    context,
  );
  await context.store.saveReply(body.id, reply);
  return sendReply(message, reply, false, context);
}

/** The answer carries the label of what was asked and of what the tool said. */
function answerSpeaker(body: EnvelopeBody, ran: GateOutcome | null): Speaker {
  const values = new ValueIndex();
  if (ran !== null && ran.status === 'DONE') {
    values.indexValues({ result: ran.result }, (pointer) =>
      pointer.startsWith('/result') ? ran.sourceOf(pointer.slice('/result'.length)) : null,
    );
  }
  const label = joinLabels(body.label, ...(ran?.label == null ? [] : [ran.label]));
  return { source: 'tool', read: { ...freshContext, label }, values, place: placeAfter(body) };
}

async function sendReply(
  message: InboxMessage,
  reply: NonNullable<InboxMessage['reply']>,
  resend: boolean,
  context: SidecarContext,
): Promise<Worked> {
  const expiresAt = context.clock.nowMs() + context.mesh.limits.messageLifetimeMs;
  await context.link.publish({ ...reply, expiresAt, resend });
  await context.store.setState(message.body.id, 'done');
  return { state: 'answered' };
}

/** HIGH and CRITICAL wait for a durable record (G6); the rest is durable in the spool. */
async function recordReview(
  body: EnvelopeBody,
  reviewed: Reviewed,
  settled: CombinedVerdict,
  tookUs: number,
  context: SidecarContext,
): Promise<boolean> {
  const risk = reviewed.manifest?.risk ?? 'CRITICAL';
  const entry: EntryDraft = {
    kind: 'request.reviewed',
    id: `${body.id}.reviewed.${settled.outcome}.${settled.verdicts.length}`,
    at: context.clock.nowMs(),
    actor: `sidecar:${context.agent.name}`,
    task: body.task,
    message: body.id,
    causedBy: [body.id],
    outcome: settled.outcome,
    code: settled.lead?.code ?? null,
    verdicts: settled.verdicts.filter((verdict) => verdict.control !== 'bus'),
    tookUs: Math.round(tookUs),
    detail: {
      action: reviewed.request.action,
      risk,
      requester: body.from,
      digest: requestDigest(body, context.agent.name),
      isolation: context.isolation,
    },
  };
  const privileged = settled.outcome === 'GO' && (risk === 'HIGH' || risk === 'CRITICAL');
  try {
    await context.recorder.record([entry], { privileged });
    return true;
  } catch {
    // Not on record: a privileged action does not run, and a refusal stands by itself.
    return !privileged;
  }
}
