// SPDX-License-Identifier: Apache-2.0
import type { JudgeQuestion } from '../judge/judge.ts';
import type { ActionManifest, RiskClass } from '../mesh/mesh.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import type { ActionOutcome, ActionRequest } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { combine, finding, type CombinedVerdict, type Verdict } from '../review/verdict.ts';
import type { GateOutcome } from '../tool/gate-outcome.ts';
import type { PriorEnd } from '../tool/gate-memory.ts';
import { allot, giveBack, withBounds } from './action-bounds.ts';
import { outcomeOf, turnedAwayAs } from './action-outcome.ts';
import { answer, repeatReply } from './answer.ts';
import type { SidecarContext } from './context.ts';
import { placeOf } from './endorsements.ts';
import { contentOf } from './inbound.ts';
import { actionQuestion, awaitsRuling, withRuling, type HeldRuling } from './judged.ts';
import {
  applyDecision,
  heed,
  holdForPeople,
  humanVerdict,
  inTime,
  mustHold,
  requestDigest,
  suppliedBy,
  withChanges,
  type Modification,
  type Reviewed,
} from './people.ts';
import { mandateDetail, reviewMandate, type MandateReview } from './mandate-review.ts';
import type { Decided, InboxMessage } from './ports.ts';
import { reviewContent } from './review.ts';
import { leaseRefusal, ownRefusal, senderRefusal } from './standing.ts';
import { clampOfRequest } from './supervised.ts';
import { trustedValues } from './trusted-values.ts';

/**
 * An admitted action request at its executor: the policy compliance check, people where the verdict
 * or the manifest asks for them, then the gate. Whatever happens is answered once, with an answer
 * that is durable before it is sent; taking the same message up again after a crash repeats the
 * answer and never the tool call. A request that meets a new version of the policy before its tool
 * is called is judged again, whole, under that one. Seed 000 section 3, EC-2.1.
 */
export async function workOn(
  message: InboxMessage,
  word: Word,
  context: SidecarContext,
): Promise<ForJudge | null> {
  if (message.reply !== null) {
    await repeatReply(message, message.reply, context);
    return null;
  }
  for (let now = context; ; ) {
    const progress = now.policy.isCurrent() ? await workUnder(message, word, now) : 'superseded';
    if (progress !== 'superseded') return progress ?? null;
    const next = await now.policy.next();
    if (next === null) {
      const request = requestOf(message.body);
      const before = endedBefore(message.body, now);
      const stale = turnedAwayAs(request, 'SIDECAR_POLICY_STALE', now);
      await answer(message, before === null ? stale : outcomeOf(request, before.decision, now), now);
      return null;
    }
    now = next;
  }
}

/** What was said about a request since it was looked at last. */
export type Word = {
  readonly decided: Decided | null;
  readonly held: HeldRuling | null;
};

/** A question about the request: one that it waits for, or one that may be put at any time. */
export type ForJudge = { readonly when: 'held' | 'late'; readonly question: JudgeQuestion };

/** `superseded`: nothing was done, nothing was answered, and another version is in force. */
async function workUnder(
  message: InboxMessage,
  word: Word,
  context: SidecarContext,
): Promise<void | 'superseded' | ForJudge> {
  const said = word.decided === null ? null : inTime(word.decided, message.body, context);
  const heeded = heed(said, message.body, context);
  const changes = heeded?.changes ?? [];
  // A change that people made is judged from the start, and put before others of them.
  const decided = said?.outcome === 'modified' && heeded !== null ? null : said;
  const body = withChanges(message.body, changes);
  const startedUs = performance.now() * 1000;
  const before = endedBefore(body, context);
  if (before !== null && !before.mayRepeat) {
    const asked = requestOf(body);
    return answer(message, outcomeOf(asked, before.decision, context), context, before.decision);
  }
  const held = word.held?.policyVersion === context.policy.version ? word.held : null;
  const found = await review({ message, body, changes }, context);
  if (decided === null && before === null && awaitsRuling(message, found, held, context)) {
    await context.store.setState(body.id, 'judging');
    return { when: 'held', question: actionQuestion(body, found, context) };
  }
  const reviewed = await withRuling(found, body, held, context);
  // What may have been done already is not called refused.
  const turnedAway = (code: string): ActionOutcome =>
    before === null
      ? turnedAwayAs(reviewed.request, code, context)
      : outcomeOf(reviewed.request, before.decision, context);
  const approved = heeded?.approvedBy ?? null;
  if (approved !== null) await keepEndorsed(body, reviewed, context);
  const isDenied = decided !== null && approved === null;
  const allotted = isDenied ? null : await allot(body, reviewed, approved !== null, context);
  const bounded = withBounds(reviewed, allotted, approved !== null, context);
  const settled = applyDecision(bounded, decided, approved, context);
  const waits = decided === null && mustHold(bounded) && settled.outcome === 'ESCALATE';
  const tookUs = performance.now() * 1000 - startedUs;
  const isRecorded = await recordReview(body, bounded, settled, tookUs, context, changes);
  const stands = isRecorded && !waits && settled.outcome !== 'NO-GO';
  if (!stands && before === null) await giveBack(body, reviewed, allotted, context);
  if (!isRecorded && !context.policy.isCurrent()) return 'superseded';
  if (!isRecorded) return answer(message, turnedAway('SIDECAR_RECORD_UNAVAILABLE'), context);
  if (waits) return holdForPeople(body, bounded, changes, context);
  if (!stands || reviewed.manifest === null || allotted?.outcome !== 'granted') {
    const code = settled.lead?.code ?? 'REVIEW_MISSING';
    await context.store.countRefusal(budgetOf(body), context.clock.nowMs());
    return answer(message, turnedAway(code), context);
  }
  if (!context.policy.isCurrent()) {
    if (before === null) await giveBack(body, reviewed, allotted, context);
    return 'superseded';
  }
  const stopped = await stoppedSince(body, reviewed, reviewed.manifest, context);
  if (stopped !== null) {
    if (before === null) await giveBack(body, reviewed, allotted, context);
    return answer(message, turnedAway(stopped), context);
  }
  const { beginBeforeMs } = allotted;
  const ran = await run(body, reviewed, reviewed.manifest, beginBeforeMs, context);
  // A refusal now says nothing of the call before: that stays in doubt, and charged.
  const isAsBefore = before !== null && ran.status === 'REFUSED';
  if (!isAsBefore) await allotted.ended(ran);
  if (ran.status === 'REFUSED' && isSuperseded(ran, context)) return 'superseded';
  const end = isAsBefore ? before.decision : ran;
  await answer(message, outcomeOf(reviewed.request, end, context), context, end);
  if (ran.status === 'REFUSED' || found.verdict.outcome !== 'ESCALATE' || mustHold(found)) return;
  return { when: 'late', question: actionQuestion(body, found, context) };
}

/** The gate stopped before the call: by itself, or because the node records under another version. */
function isSuperseded({ code }: GateOutcome, { policy }: SidecarContext): boolean {
  if (code === 'TOOL_POLICY_SUPERSEDED') return true;
  return code === 'TOOL_NOT_RECORDED' && !policy.isCurrent();
}

function requestOf(body: EnvelopeBody): ActionRequest {
  const parsed = parseActionRequest(body.payload);
  return parsed.ok
    ? parsed.request
    : { action: 'unknown', parameters: {}, idempotencyKey: body.id, evidence: [] };
}

/**
 * A crash between the end of the call and its answer: the request passed its review then, and what
 * changed since (a budget spent, a lease gone) does not undo what was done.
 */
function endedBefore(body: EnvelopeBody, context: SidecarContext): PriorEnd | null {
  const { idempotencyKey } = requestOf(body);
  return context.gate.endOf({ requester: body.from, idempotencyKey, requestId: body.id });
}

/** A message as it came, and its request as people's changes made it. */
type Changed = {
  readonly message: InboxMessage;
  readonly body: EnvelopeBody;
  readonly changes: readonly Modification[];
};

async function review(
  { message, body, changes }: Changed,
  context: SidecarContext,
): Promise<Reviewed> {
  const request = requestOf(body);
  const manifest = context.mesh.actions.get(request.action) ?? null;
  const trusted = await trustedValues(manifest, body, context);
  const verdict = context.compliance.review({
    request,
    executor: context.agent,
    requester: {
      agent: body.from,
      label: body.label,
      sources: body.sources,
      hop: body.hop, isolation: body.provenance.isolation, told: body.epistemic,
    },
    domain: body.domain,
    task: body.task,
    paceClamp: clampOfRequest(context.pace.clamp(context.agent.name), body),
    isolation: context.isolation,
    trustedValues: (source) => trusted.get(source) ?? null,
    endorsed: (pointer, value) =>
      context.endorsements.has(
        { ...placeOf(body), action: request.action, pointer, value },
        context.clock.nowMs(),
      ),
    supplied: suppliedBy(message.body, changes),
    // The sums have an owner, which is asked once nothing else speaks against the request.
    capUsed: () => 0,
    approvals: [],
    nowMs: context.clock.nowMs(),
  });
  const mandate = mandateOf(body, request, manifest, context);
  const verdicts = [
    ...(await contentVerdicts({ ...message, body }, changes.length > 0, context)),
    ...standing(body, manifest, context), verdict, mandate.verdict,
    ...(changes.length > 0 ? [humanVerdict('ESCALATE', 'OVERSIGHT_MODIFIED', context)] : []),
  ];
  return { request, manifest, verdict: combine(verdicts), mandate };
}

function mandateOf(
  body: EnvelopeBody,
  request: ActionRequest,
  manifest: ActionManifest | null,
  context: SidecarContext,
): MandateReview {
  return reviewMandate(body, request, manifest?.risk ?? 'CRITICAL', context);
}

/** What people vouched for holds for the rest of the task; not durable, it only asks them again. */
async function keepEndorsed(
  body: EnvelopeBody,
  { request, verdict }: Reviewed,
  { endorsements, clock, report }: SidecarContext,
): Promise<void> {
  if (verdict.outcome !== 'ESCALATE') return;
  await endorsements.add(body, request.action, verdict, clock.nowMs()).catch(report);
}

/** The code of what speaks against the call by now, on record; null for nothing. */
async function stoppedSince(
  body: EnvelopeBody,
  reviewed: Reviewed,
  manifest: ActionManifest,
  context: SidecarContext,
): Promise<string | null> {
  const since = lastDoubts(body, reviewed, manifest, context);
  if (since.length === 0) return null;
  const stopped = combine(since);
  await recordReview(body, reviewed, stopped, 0, context);
  return stopped.lead?.code ?? 'REVIEW_MISSING';
}

/**
 * Waiting took time: what was revoked since, or has no lease any more, does not run. Asked once the
 * review is on record, and again by the gate right before its tool is handed the call.
 */
function lastDoubts(
  body: EnvelopeBody,
  { request }: Reviewed,
  manifest: ActionManifest,
  context: SidecarContext,
): readonly Verdict[] {
  const mandate = mandateOf(body, request, manifest, context);
  const stopped = mandate.verdict.outcome === 'NO-GO' ? [mandate.verdict] : [];
  return [...standing(body, manifest, context), ...stopped];
}

/** Refused requests that one task may cost before nothing more is said to it. */
const refusalsPerTaskMax = 10;

/**
 * What stands against the request before its content: a revocation, a lease that ran out, a probing
 * task, a clock nobody can trust.
 */
function standing(
  body: EnvelopeBody,
  manifest: ActionManifest | null,
  context: SidecarContext,
): readonly Verdict[] {
  const against = [
    ownRefusal(context),
    senderRefusal(body, context.revocations),
    leaseRefusal(manifest?.risk ?? 'CRITICAL', context),
  ];
  const codes: string[] = against.filter((code) => code !== null);
  if (!(context.store.refusals(budgetOf(body)) < refusalsPerTaskMax)) codes.push('SIDECAR_REFUSAL_BUDGET');
  const privileged = manifest === null || isPrivileged(manifest.risk);
  const steady = context.clockJumpedMs() <= context.mesh.limits.clockSkewMs;
  if (privileged && !steady) codes.push('SIDECAR_CLOCK_JUMPED');
  return codes.length === 0 ? [] : [refusedVerdict(codes, 'sidecar/standing', context)];
}

function refusedVerdict(codes: readonly string[], rule: string, { mesh }: SidecarContext): Verdict {
  return {
    outcome: 'NO-GO',
    control: 'policy-compliance',
    version: mesh.digest.slice(0, 12),
    tookUs: 0,
    findings: codes.map((code) => finding(code, rule)),
  };
}

/** A task that no person started is the agent's own to multiply, so its agent is counted instead. */
function budgetOf(body: EnvelopeBody): string {
  return body.goalHash === null ? `agent:${body.from}` : body.task;
}

function isPrivileged(risk: RiskClass): boolean {
  return risk === 'HIGH' || risk === 'CRITICAL';
}

/** What the content controls said when the message was received, or say now under a new version. */
async function contentVerdicts(
  { body, entries }: InboxMessage,
  isChanged: boolean,
  context: SidecarContext,
): Promise<readonly Verdict[]> {
  const said = entries.flatMap((entry) => entry.verdicts);
  const isCurrent = entries.every(({ detail }) => detail['policy'] === context.policy.version);
  if (isCurrent && !isChanged) return said;
  const content = await reviewContent(contentOf(body, context), context);
  return [...said.filter((verdict) => verdict.control === 'bus'), ...content];
}

async function run(
  body: EnvelopeBody,
  reviewed: Reviewed,
  manifest: ActionManifest,
  beginBeforeMs: number,
  context: SidecarContext,
): Promise<GateOutcome> {
  const { request, mandate } = reviewed;
  return context.gate.call(
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
      keep: manifest.keep ?? null,
      timeoutMs: manifest.timeoutMs,
      task: body.task,
      mandate: mandate.mandate?.id ?? null,
      beginBeforeMs,
      standing: () => {
        const doubts = lastDoubts(body, reviewed, manifest, context);
        return doubts.length === 0 ? null : (combine(doubts).lead?.code ?? 'REVIEW_MISSING');
      },
      privileged: isPrivileged(manifest.risk),
    }),
  );
}

/** HIGH and CRITICAL wait for a durable record (G6); the rest is durable in the spool. */
async function recordReview(
  body: EnvelopeBody,
  reviewed: Reviewed,
  settled: CombinedVerdict,
  tookUs: number,
  context: SidecarContext,
  changes: readonly Modification[] = [],
): Promise<boolean> {
  const risk = reviewed.manifest?.risk ?? 'CRITICAL';
  const entry: EntryDraft = {
    kind: 'request.reviewed',
    id: `${body.id}.reviewed.${settled.outcome}.${settled.verdicts.length}` +
      (changes.length === 0 ? '' : `.m${changes.length}`),
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
      digest: requestDigest(body, reviewed.manifest, context.agent.name, changes),
      ...(changes.length === 0 ? {} : { modifiedBy: changes.map(({ operator }) => operator) }),
      ...mandateDetail(body.mandate),
      principals: body.principals.map(({ agent }) => agent),
      isolation: context.isolation, phase: context.pace.clamp(context.agent.name).phase,
    },
  };
  const privileged = settled.outcome === 'GO' && isPrivileged(risk);
  try {
    await context.recorder.record([entry], { privileged });
    return true;
  } catch {
    // Not on record: a privileged action does not run, and a refusal stands by itself.
    return !privileged;
  }
}
