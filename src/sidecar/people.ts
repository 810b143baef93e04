// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { verifyOperatorDecision } from '../identity/operator-signature.ts';
import { manifestDigest } from '../mesh/manifest-digest.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import type { ActionRequest } from '../message/action-request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import {
  combine,
  finding,
  type CombinedVerdict,
  type Finding,
  type Verdict,
} from '../review/verdict.ts';
import type { Hold, ValueToEndorse } from '../oversight/hold.ts';
import type { SidecarContext } from './context.ts';
import type { MandateReview } from './mandate-review.ts';
import type { Decided, InboxMessage } from './ports.ts';

/** An action request after its review. */
export type Reviewed = {
  readonly request: ActionRequest;
  /** Null for an action that the mesh file does not know. */
  readonly manifest: ActionManifest | null;
  readonly verdict: CombinedVerdict;
  /** The mandate that it is requested under, with what its use is charged. */
  readonly mandate: MandateReview;
};

/** DESIGN 6.1: only a HIGH or CRITICAL action, or one that policy sends to people, is held. */
export function mustHold(reviewed: Reviewed): boolean {
  const risk = reviewed.manifest?.risk ?? 'CRITICAL';
  const byPolicy = reviewed.verdict.verdicts.some(
    (verdict) => verdict.control === 'policy-compliance' && verdict.outcome === 'ESCALATE',
  );
  return byPolicy || risk === 'HIGH' || risk === 'CRITICAL';
}

/** People release a hold; they never turn a refusal into permission. */
export function applyDecision(
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
      return 'OVERSIGHT_APPROVAL_DENIED';
    case 'expired':
      return 'OVERSIGHT_APPROVAL_EXPIRED';
    default:
      return decided.outcome satisfies never;
  }
}

export function humanVerdict(
  outcome: 'GO' | 'NO-GO',
  code: string | null,
  context: SidecarContext,
): Verdict {
  const findings = code === null ? [] : [finding(code, 'human/approval')];
  return { outcome, control: 'human', version: context.mesh.digest.slice(0, 12), tookUs: 0, findings };
}

function heldUntilMs(body: EnvelopeBody, context: SidecarContext): number {
  return body.issuedAt + context.mesh.limits.approvalTimeoutMs;
}

/** An approval that reaches the executor too late is none, whoever kept it back for so long. */
export function inTime(decided: Decided, body: EnvelopeBody, context: SidecarContext): Decided {
  const isLate = !(context.clock.nowMs() < heldUntilMs(body, context));
  return decided.outcome === 'approved' && isLate ? { ...decided, outcome: 'expired' } : decided;
}

/**
 * The operators whose signatures over exactly this request hold, each counted once; null when there
 * are too few or any of them denied. The node only carries the signatures.
 */
export function verifyApproval(
  decided: Decided,
  body: EnvelopeBody,
  context: SidecarContext,
): readonly string[] | null {
  if (decided.outcome !== 'approved') return null;
  const parsed = parseActionRequest(body.payload);
  const action = parsed.ok ? (context.mesh.actions.get(parsed.request.action) ?? null) : null;
  const digest = requestDigest(body, action, context.agent.name);
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
  return approvers.size >= approvalsNeeded(action) ? [...approvers] : null;
}

export function approvalsNeeded(manifest: ActionManifest | null): 1 | 2 {
  return manifest === null || manifest.risk === 'CRITICAL' ? 2 : 1;
}

/**
 * What an approval is bound to: approve one thing, run that thing. A manifest that changes while the
 * action waits makes another thing of it, which is put before people anew.
 */
export function requestDigest(
  body: EnvelopeBody,
  manifest: ActionManifest | null,
  executor: string,
): string {
  const text = canonicalize({
    executor,
    message: body.id,
    request: body.payload,
    manifest: manifest === null ? null : manifestDigest(manifest),
  });
  return createHash('sha256').update(text).digest('base64url');
}

export async function holdForPeople(
  message: InboxMessage,
  reviewed: Reviewed,
  context: SidecarContext,
): Promise<void> {
  const { body } = message;
  const findings = reviewed.verdict.verdicts.flatMap((verdict) => verdict.findings);
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
    digest: requestDigest(body, reviewed.manifest, context.agent.name),
    approvalsNeeded: approvalsNeeded(reviewed.manifest),
    reasons: [...new Set(findings.map(({ code }) => code))].slice(0, reasonsMax),
    endorse: valuesToEndorse(body, findings),
    expiresAt: heldUntilMs(body, context),
  };
  await context.store.setState(body.id, 'held');
  // The node may be away: a held message is offered again on every reconnection.
  await context.link.hold(held);
}

/** Bounds of the frame that carries a hold: a longer one would be refused whole. */
const reasonsMax = 32;
const endorseMax = 32;

function valuesToEndorse(
  body: EnvelopeBody,
  findings: readonly Finding[],
): readonly ValueToEndorse[] {
  return findings
    .filter((found) => found.code === 'POLICY_ENDORSEMENT_REQUIRED')
    .flatMap(({ path }) => path ?? [])
    .slice(0, endorseMax)
    .map((path) => ({
      pointer: path.slice('/parameters'.length),
      sources: body.sources[path] ?? [],
      origins: body.label.origins,
    }));
}

/** Who set this off: the first untrusted origin, else whoever asked. */
function rootOrigin(body: EnvelopeBody): string {
  return body.label.origins.find((origin) => origin.startsWith('tool:')) ?? `agent:${body.from}`;
}
