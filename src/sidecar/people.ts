// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { verifyOperatorDecision } from '../identity/operator-signature.ts';
import { manifestDigest } from '../mesh/manifest-digest.ts';
import type { ActionManifest } from '../mesh/mesh.ts';
import { deadlineMs } from '../mesh/oversight.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import type { ActionRequest } from '../message/action-request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject } from '../message/json.ts';
import {
  combine,
  finding,
  type CombinedVerdict,
  type Finding,
  type Verdict,
} from '../review/verdict.ts';
import type { Hold, ValueToEndorse } from '../oversight/hold.ts';
import { rule, unruled, type Question } from '../oversight/ruling.ts';
import type { SidecarContext } from './context.ts';
import type { MandateReview } from './mandate-review.ts';
import type { Decided } from './ports.ts';

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
    ({ control, outcome }) =>
      (control === 'policy-compliance' || control === 'human') && outcome === 'ESCALATE',
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
    case 'modified':
      return 'SIDECAR_APPROVAL_INVALID';
    default:
      return decided.outcome satisfies never;
  }
}

export function humanVerdict(
  outcome: 'GO' | 'NO-GO' | 'ESCALATE',
  code: string | null,
  context: SidecarContext,
): Verdict {
  const findings = code === null ? [] : [finding(code, 'human/approval')];
  return { outcome, control: 'human', version: context.mesh.digest.slice(0, 12), tookUs: 0, findings };
}

/** People have as long as the class of the action allows (EC-2.9). */
function heldUntilMs(body: EnvelopeBody, { mesh }: SidecarContext): number {
  const parsed = parseActionRequest(body.payload);
  const manifest = parsed.ok ? mesh.actions.get(parsed.request.action) : undefined;
  return body.issuedAt + deadlineMs(manifest?.risk ?? 'CRITICAL', mesh);
}

/** An approval that reaches the executor too late is none, whoever kept it back for so long. */
export function inTime(decided: Decided, body: EnvelopeBody, context: SidecarContext): Decided {
  const isLate = !(context.clock.nowMs() < heldUntilMs(body, context));
  return decided.outcome === 'approved' && isLate ? { ...decided, outcome: 'expired' } : decided;
}

/** A change that an operator made to the request; whoever made it cannot approve it. */
export type Modification = { readonly operator: string; readonly parameters: JsonObject };

/** What people said of a request, as far as their signatures hold. */
export type Heeded = {
  /** Changes to the request, oldest first. */
  readonly changes: readonly Modification[];
  /** Different operators who approved exactly the request that the changes made; null: too few. */
  readonly approvedBy: readonly string[] | null;
};

/**
 * Counts again what the node says that people said; the node only carries the signatures. Null when
 * one of them does not hold, or they do not add up to what the node says.
 */
export function heed(
  decided: Decided | null,
  body: EnvelopeBody,
  context: SidecarContext,
): Heeded | null {
  if (decided?.outcome !== 'approved' && decided?.outcome !== 'modified') return null;
  const parsed = parseActionRequest(body.payload);
  const manifest = parsed.ok ? (context.mesh.actions.get(parsed.request.action) ?? null) : null;
  const operators = context.operators();
  const changes: Modification[] = [];
  let ruling = unruled;
  for (const signed of decided.decisions) {
    const verified = verifyOperatorDecision(signed, (name) => operators.get(name)?.publicKey ?? null);
    if (!verified.ok) return null;
    const { statement } = verified;
    const isOlder = statement.at < body.issuedAt - context.mesh.limits.clockSkewMs;
    const isElsewhere = statement.decision !== 'modify' && statement.approval !== decided.approval;
    if (isOlder || isElsewhere) return null;
    const question = questionOf(body, manifest, changes, context);
    const answer = rule(ruling, statement, question, operators.get(statement.operator) ?? null);
    if (!answer.ok) return null;
    ruling = answer.ruling;
    if (ruling.state !== 'modified' || statement.parameters === undefined) continue;
    changes.push({ operator: statement.operator, parameters: statement.parameters });
    ruling = unruled;
  }
  if (decided.outcome === 'approved') {
    return ruling.state === 'approved' ? { changes, approvedBy: ruling.approvedBy } : null;
  }
  return changes.length > 0 && ruling === unruled ? { changes, approvedBy: null } : null;
}

function questionOf(
  body: EnvelopeBody,
  manifest: ActionManifest | null,
  changes: readonly Modification[],
  context: SidecarContext,
): Question {
  return {
    digest: requestDigest(withChanges(body, changes), manifest, context.agent.name, changes),
    approvalsNeeded: approvalsNeeded(manifest),
    approvers: manifest?.approvers ?? [],
    causedBy: [...causedBy(body, context), ...changes.map(({ operator }) => operator)],
  };
}

/** The request as it reads after the changes; a value that was changed has no source any more. */
export function withChanges(
  body: EnvelopeBody,
  changes: readonly Modification[],
): EnvelopeBody {
  const last = changes.at(-1);
  if (last === undefined || !isJsonObject(body.payload)) return body;
  const supplied = suppliedBy(body, changes);
  const sources = Object.fromEntries(
    Object.entries(body.sources).filter(([pointer]) => !supplied(pointer)),
  );
  return { ...body, payload: { ...body.payload, parameters: last.parameters }, sources };
}

/** Whether a value of the changed request, by JSON Pointer, came from an operator. */
export function suppliedBy(
  body: EnvelopeBody,
  changes: readonly Modification[],
): (pointer: string) => boolean {
  const last = changes.at(-1);
  const asked = isJsonObject(body.payload) ? body.payload['parameters'] : undefined;
  const before = asked !== undefined && isJsonObject(asked) ? asked : {};
  const after = last?.parameters ?? before;
  const names = new Set(Object.keys(after).filter((name) =>
    !Object.hasOwn(before, name) ||
    canonicalize(before[name] ?? null) !== canonicalize(after[name] ?? null)));
  return (pointer) => {
    const [, , name = ''] = pointer.split('/');
    return names.has(name.replaceAll('~1', '/').replaceAll('~0', '~'));
  };
}

/** Operators who speak through an originator that is in the request's causes: its sponsor. */
function causedBy(body: EnvelopeBody, context: SidecarContext): readonly string[] {
  const { mesh } = context;
  const operators = context.operators();
  const agents = [body.from, ...body.principals.map(({ agent }) => agent)];
  const sponsors = agents.flatMap((name) => {
    const agent = mesh.agents.get(name);
    return agent?.originator === true ? (agent.sponsor ?? []) : [];
  });
  return [...new Set(sponsors.filter((name) => operators.has(name)))].slice(0, 16);
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
  changes: readonly Modification[] = [],
): string {
  const text = canonicalize({
    executor,
    message: body.id,
    request: body.payload,
    ...(changes.length === 0 ? {} : { modifiedBy: changes.map(({ operator }) => operator) }),
    manifest: manifest === null ? null : manifestDigest(manifest),
  });
  return createHash('sha256').update(text).digest('base64url');
}

/** `body` is the request as the changes made it. */
export async function holdForPeople(
  body: EnvelopeBody,
  reviewed: Reviewed,
  changes: readonly Modification[],
  context: SidecarContext,
): Promise<void> {
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
    digest: requestDigest(body, reviewed.manifest, context.agent.name, changes),
    approvalsNeeded: approvalsNeeded(reviewed.manifest),
    reasons: [...new Set(findings.map(({ code }) => code))].slice(0, reasonsMax),
    endorse: valuesToEndorse(body, findings),
    ...(body.epistemic === null ? {} : {
      told: { confidence: body.epistemic.confidence, unknowns: body.epistemic.unknowns.slice(0, unknownsMax) },
    }),
    expiresAt: heldUntilMs(body, context),
    causedBy: causedBy(body, context),
    ...(changes.length === 0 ? {} : { modifiedBy: changes.map(({ operator }) => operator) }),
  };
  await context.store.setState(body.id, 'held');
  // The node may be away: a held message is offered again on every reconnection.
  await context.link.hold(held);
}

/** Bounds of the frame that carries a hold: a longer one would be refused whole. */
const reasonsMax = 32;
const endorseMax = 32;
const unknownsMax = 32;

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
