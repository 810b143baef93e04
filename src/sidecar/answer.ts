// SPDX-License-Identifier: Apache-2.0
import { freshContext } from '../label/context.ts';
import { isWithin } from '../identity/verify-envelope.ts';
import { joinLabels } from '../label/label.ts';
import { ValueIndex } from '../label/value-index.ts';
import { actionOutcomeSchema, type ActionOutcome } from '../message/action-request.ts';
import type { Classification, EnvelopeBody, Label } from '../message/envelope.ts';
import { parseEnvelopeBody } from '../message/envelope-parse.ts';
import { isJsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { crossesAtBus } from '../mesh/crossing.ts';
import type { CombinedVerdict } from '../review/verdict.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Decision } from '../tool/gate-outcome.ts';
import type { SidecarContext } from './context.ts';
import { placeAfter } from './memory.ts';
import { prepareAgain, prepareAnswer, type Prepared, type Speaker } from './outbound.ts';
import type { InboxMessage, Reply } from './ports.ts';
import { tokened } from './tokens.ts';

/** What keeps an answer from leaving that has nothing to do with the answer. */
const passingCodes: ReadonlySet<string> = new Set([
  'BUS_POLICY_STALE',
  'BUS_QUEUE_FULL',
  'BUS_RATE_LIMITED',
  'BUS_UNAVAILABLE',
  'SIDECAR_BUS_UNREACHABLE',
]);

/** The answer itself is let through, whatever became of the request: that is in its payload. */
const sentVerdict: CombinedVerdict = { outcome: 'GO', lead: null, verdicts: [] };

/** Signed and durable first, then sent: a crash in between repeats this very answer. */
export async function answer(
  message: InboxMessage,
  outcome: ActionOutcome,
  context: SidecarContext,
  ran: Decision | null = null,
): Promise<void> {
  const { body } = message;
  const shown = await shownOutcome(outcome, body, context);
  // Tokens cannot be had just now: the request stays in work, and its answer follows.
  if (shown === null) return;
  const fitting = await fittingAnswer(body, shown, ran, context);
  // Not sealed just now: the request stays in work, and what became of it is answered later.
  if (fitting === null) return;
  const { prepared, outcome: said, code } = fitting;
  if (code !== null) await context.spool([unshownEntry(body, code, context)]);
  const instance = context.credential().spiffeId;
  const reply: Reply = { ...prepared, instance, outcome: said };
  await context.store.saveReply(body.id, reply);
  return sendReply(message, reply, false, context);
}

/** A result that no message holds stays here, with the code on record: a bus ends the line of whoever sends it. */
async function fittingAnswer(
  body: EnvelopeBody,
  { outcome, code }: Shown,
  ran: Decision | null,
  context: SidecarContext,
): Promise<(Shown & { readonly prepared: Prepared }) | null> {
  const outgoing = {
    to: body.from, type: 'data', schema: actionOutcomeSchema, domain: body.domain, payload: { ...outcome },
    metadata: {}, inReplyTo: body.id, epistemic: null, task: body.task,
  } as const;
  const prepared = await prepareAnswer(outgoing, answerSpeaker(body, ran), sentVerdict, 0, context);
  if (prepared === null) return null;
  if (isFitting(prepared, context) || outcome.result === null) return { prepared, outcome, code };
  context.numbers.giveUp([prepared.entry]);
  return fittingAnswer(body, { outcome: { ...outcome, result: null }, code: 'BUS_TOO_LARGE' }, ran, context);
}

type Shown = { readonly outcome: ActionOutcome; readonly code: string | null };

/**
 * The outcome as its requester may have it, also from whoever repeats it: under tokens, and with the data
 * rewritten that the policy of the domain's classification rewrites in any message. A result that never
 * fits under tokens, or that may not go into another zone, stays here, with the code on record: the action
 * is done, and its executor goes on.
 */
async function shownOutcome(
  outcome: ActionOutcome,
  { from: requester, task, domain }: EnvelopeBody,
  context: SidecarContext,
): Promise<Shown | null> {
  // As a member of the outcome: a mesh file may declare `result` itself.
  const said = await tokened({ result: outcome.result }, task, context);
  if (!said.ok) {
    return said.code === 'KNOWLEDGE_UNAVAILABLE' ? null : { outcome: { ...outcome, result: null }, code: said.code };
  }
  const { mesh, scanner, agent } = context;
  const classification = mesh.domains.get(domain)?.classification ?? 'restricted';
  const masked = scanner.mask(said.value, classification);
  const { result = null } = isJsonObject(masked.value) ? masked.value : {};
  const shown = { ...outcome, result };
  const code = masked.isUnfinished ? 'SCAN_BUDGET'
    : crossesAtBus(mesh, agent.name, requester) ? crossingRefusal(shown, classification, requester, context) : null;
  return code === null ? { outcome: shown, code } : { outcome: { ...outcome, result: null }, code };
}

/** What the bus would refuse between two zones is not sent: the requester hears at least that it is done. */
function crossingRefusal(
  outcome: ActionOutcome,
  classification: Classification,
  requester: string,
  { mesh, scanner }: SidecarContext,
): string | null {
  if (outcome.result === null || mesh.mode === 'observe') return null;
  const towardsPerson = mesh.agents.get(requester)?.originator === true;
  const { outcome: said, findings: [lead] } = scanner.scan({
    value: { ...outcome }, schemaId: actionOutcomeSchema, type: 'data', channel: 'agent_message', classification,
    leaves: true, towardsPerson,
  });
  return said === 'NO-GO' ? lead?.code ?? 'REVIEW_MISSING' : null;
}

/** What was done has a result that nobody is shown. */
function unshownEntry({ id, task }: EnvelopeBody, code: string, { agent, clock }: SidecarContext): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `${id}.unshown`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task,
    message: id,
    causedBy: [id],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { agent: agent.name, indicator: 'KNOWLEDGE' },
  };
}

/** The answer carries the label of what was asked and of what the tool said. */
function answerSpeaker(body: EnvelopeBody, ran: Decision | null): Speaker {
  const values = new ValueIndex();
  if (ran !== null && ran.status === 'DONE') {
    values.indexValues({ result: ran.result }, (pointer) =>
      pointer.startsWith('/result') ? ran.sourceOf(pointer.slice('/result'.length)) : null,
    );
  }
  const label = joinLabels(body.label, ...labelsOf(ran));
  return { source: 'tool', read: { ...freshContext, label }, values, place: placeAfter(body), mandates: [], inputs: [body.id] };
}

/**
 * An answer signed under an identity that has ended since, or that nobody took before it expired, is
 * signed again as it was: with the label and the sources that the tool's result had.
 */
export async function repeatReply(
  message: InboxMessage,
  reply: Reply,
  context: SidecarContext,
): Promise<void> {
  const signed = signedBody(reply.envelope);
  // What the mesh file allowed when it was signed may be too long by now.
  const stands = signed !== null && context.clock.nowMs() < signed.expiresAt && isFitting(reply, context);
  if (stands && reply.instance === context.credential().spiffeId) {
    return sendReply(message, reply, true, context);
  }
  // A reply that does not read back says nothing of its label: the worst is assumed.
  if (signed === null) return answer(message, { ...reply.outcome, result: null }, context);
  // Once more: the mesh file may declare what it did not when the answer was signed first.
  const shown = await shownOutcome(reply.outcome, message.body, context);
  const again = shown === null ? null : await fittingAgain(signed, shown, context);
  // Not sealed just now: it stays, and is repeated.
  if (again === null) return;
  context.numbers.giveUp([reply.entry]);
  if (again.code !== null) await context.spool([unshownEntry(message.body, again.code, context)]);
  const { outcome } = again;
  const renewed: Reply = { ...reply, ...again.prepared, outcome, instance: context.credential().spiffeId };
  await context.store.saveReply(message.body.id, renewed);
  return sendReply(message, renewed, false, context);
}

/** As `fittingAnswer`, of what was signed before. */
async function fittingAgain(signed: EnvelopeBody, { outcome, code }: Shown, context: SidecarContext) {
  const prepared = await prepareAgain({ ...signed, payload: { ...outcome } }, context);
  if (prepared === null) return null;
  if (isFitting(prepared, context) || outcome.result === null) return { prepared, outcome, code };
  context.numbers.giveUp([prepared.entry]);
  return fittingAgain(signed, { outcome: { ...outcome, result: null }, code: 'BUS_TOO_LARGE' }, context);
}

function isFitting({ envelope }: Pick<Prepared, 'envelope'>, { mesh }: SidecarContext): boolean {
  return isWithin(envelope, mesh.limits.messageBytesMax);
}

/** The body of an envelope that this sidecar signed itself. */
function signedBody(envelope: string): EnvelopeBody | null {
  const json = parseStrictJson(Buffer.from(envelope.split('.')[1] ?? '', 'base64url'));
  const parsed = json.ok ? parseEnvelopeBody(json.value) : null;
  return parsed?.ok === true ? parsed.body : null;
}

async function sendReply(
  message: InboxMessage,
  reply: Reply,
  resend: boolean,
  context: SidecarContext,
): Promise<void> {
  const expiresAt = context.clock.nowMs() + context.mesh.limits.messageLifetimeMs;
  const sent = await context.link.publish({
    ...reply, expiresAt, resend, policyVersion: context.policy.version,
  });
  // Refused for now, not for good: it stays, and is repeated.
  if (!sent.accepted && passingCodes.has(sent.code)) return;
  if (sent.accepted) context.numbers.settle([reply.entry]);
  else context.numbers.giveUp([reply.entry]);
  if (!sent.accepted && isOfContent(sent.code) && reply.outcome.result !== null) {
    await context.spool([unshownEntry(message.body, sent.code, context)]);
    return answer(message, { ...reply.outcome, result: null }, context);
  }
  await context.store.setState(message.body.id, 'done');
}

/** The bus joins what an answer says with those before it, and may refuse what says nothing by itself. */
function isOfContent(code: string): boolean {
  return code.startsWith('SCAN_') || code === 'BUS_DATA_UNMASKED';
}

function labelsOf(ran: Decision | null): readonly Label[] {
  return ran === null || ran.label === null ? [] : [ran.label];
}
