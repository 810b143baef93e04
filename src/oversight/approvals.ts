// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { verifyOperatorDecision } from '../identity/operator-signature.ts';
import type { OperatorStatement } from '../identity/operator-signature.ts';
import type { Operator } from '../mesh/mesh.ts';
import { mayDecide, type OperatorRole } from '../mesh/operator-roles.ts';
import type { Clock } from '../message/clock.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { Approver } from './approver.ts';
import type { OversightCode } from './codes.ts';
import type { Hold } from './hold.ts';
import type { OpenedCards } from './opened-cards.ts';
import { rule, unruled, type Question, type Ruling } from './ruling.ts';
import type { Turns } from './turns.ts';

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'modified';

/** One statement as the operator's key or passkey made it, and when it came. */
export type MadeDecision = {
  readonly operator: string;
  readonly signed: string;
  readonly decision?: OperatorStatement['decision'];
  /** On the node's clock. */
  readonly at?: number;
  /** When this operator first opened the card in the console. */
  readonly openedAt?: number | null;
  /** SHA-256 of a reason that is not empty: equal reasons are seen without keeping them apart. */
  readonly reasonDigest?: string | null;
};

/** A held action and what people said about it. */
export type Approval = {
  readonly id: string;
  readonly hold: Hold;
  readonly state: ApprovalState;
  readonly heldAt: number;
  /** Signed decisions as the operators' keys made them, in order. */
  readonly decisions: readonly MadeDecision[];
  /** Signed changes that made this question out of others, oldest first. */
  readonly modifications?: readonly MadeDecision[];
  /** A case that nobody asked for, to see whether people look. It executes nothing. */
  readonly probe?: true;
  /** The question that the probe was made of. */
  readonly probeOf?: { readonly message: string; readonly task: string };
};

/** Durable queue of held actions; every resolved call survives `kill -9`. */
export interface ApprovalStore {
  get(id: string): Approval | null;
  /** The newest question about a message; no other sidecar can have put its words in its place. */
  byMessage(message: string, executor: string): Approval | null;
  /** The question about exactly this request, whatever came after it. */
  byDigest(message: string, executor: string, digest: string): Approval | null;
  pending(): readonly Approval[];
  list(limit: number): readonly Approval[];
  /** Seen by readers at once; when it rejects, readers see what was there before. */
  save(approval: Approval): Promise<void>;
}

export type DecisionRefusal = { readonly ok: false; readonly code: string };
export type DecisionAnswer = { readonly ok: true; readonly approval: Approval } | DecisionRefusal;

export type ApprovalsContext = {
  readonly store: ApprovalStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly pendingMax: number;
  readonly mintId: () => string;
  readonly turns: Turns;
  readonly approver: Approver;
  /** Roles that an action's manifest names; empty means every role that decides. */
  readonly approversOf: (action: string) => readonly OperatorRole[];
  readonly opened: OpenedCards;
  /** Told of every final state, so that the executor's sidecar hears of it. */
  readonly settled: (approval: Approval) => void;
};

/**
 * Puts an action before people. A message already held is found again, unless its action is another
 * one now: then it is put before them anew. More than the allowed number
 * of pending holds per requester or per root origin is denied at once: a flood is an attack on the
 * people who decide (EC-2.x, DESIGN "floods"). Every state is on record before it holds: rejects,
 * and nothing has changed, when it could not be recorded.
 */
export function hold(request: Hold, context: ApprovalsContext): Promise<Approval> {
  return context.turns.take(() => holdInTurn(request, context));
}

/** Puts a case among the questions that looks like one of them; see `makeProbe`. */
export function plantProbe(
  { hold: probe, of }: { readonly hold: Hold; readonly of: NonNullable<Approval['probeOf']> },
  context: ApprovalsContext,
): Promise<Approval> {
  return context.turns.take(async () => {
    const approval: Approval = {
      id: context.mintId(), hold: probe, state: 'pending', heldAt: context.clock.nowMs(),
      decisions: [], probe: true, probeOf: of,
    };
    await context.recorder.record([heldEntry(approval, context)], { privileged: true });
    await context.store.save(approval);
    tell(approval, context);
    return approval;
  });
}

async function holdInTurn(request: Hold, context: ApprovalsContext): Promise<Approval> {
  const known = context.store.byMessage(request.message, request.executor);
  if (known?.hold.digest === request.digest) return known;
  // A sidecar that was away offers what people changed meanwhile: it is told of the change again.
  const changed = context.store.byDigest(request.message, request.executor, request.digest);
  if (changed?.state === 'modified') return changed;
  const modifications = modificationsOf(known, request);
  if (known?.state === 'pending') await supersede(known, context);
  const flooded = isFlood(request, context);
  const approval: Approval = {
    id: context.mintId(),
    hold: request,
    state: flooded ? 'denied' : 'pending',
    heldAt: context.clock.nowMs(),
    decisions: [],
    ...(modifications.length === 0 ? {} : { modifications }),
  };
  const entries = [heldEntry(approval, context)];
  if (flooded) {
    entries.push(
      entry(approval, 'approval.decided', 'NO-GO', 'OVERSIGHT_APPROVAL_FLOOD', { by: 'node' }, context),
      entry(approval, 'indicator.raised', null, 'OVERSIGHT_APPROVAL_FLOOD', {
        agent: request.requester,
        rootOrigin: request.rootOrigin,
      }, context),
    );
  }
  await context.recorder.record(entries, { privileged: true });
  await context.store.save(approval);
  if (flooded) context.settled(approval);
  else tell(approval, context);
  return approval;
}

function heldEntry(approval: Approval, context: ApprovalsContext): EntryDraft {
  const { reasons, approvalsNeeded, expiresAt, modifiedBy } = approval.hold;
  return entry(approval, 'approval.held', 'ESCALATE', null, {
    reasons: [...reasons], approvalsNeeded, expiresAt,
    ...(modifiedBy === undefined ? {} : { modifiedBy: [...modifiedBy] }),
  }, context);
}

/** Nobody waits for the word to arrive: the action is held, told or not. */
function tell(approval: Approval, context: ApprovalsContext): void {
  const { action, risk, executor, expiresAt } = approval.hold;
  context.approver
    .waiting({ waits: 'action', approval: approval.id, action, risk, executor, expiresAt })
    .catch(() => {
      const code = 'OVERSIGHT_APPROVER_FAILED';
      return context.recorder.record([
        entry(approval, 'indicator.raised', null, code, { approver: context.approver.name }, context),
      ]);
    })
    .catch(() => {
      // Not on record either: the recorder has said itself that it is unavailable.
      return undefined;
    });
}

/** The action is no longer what people were asked about: what they said so far is void. */
async function supersede(approval: Approval, context: ApprovalsContext): Promise<void> {
  const next: Approval = { ...approval, state: 'expired' };
  const code = 'OVERSIGHT_APPROVAL_SUPERSEDED';
  await context.recorder.record(
    [entry(next, 'approval.expired', null, code, {}, context)],
    { privileged: true },
  );
  await context.store.save(next);
}

/**
 * Takes one operator's signed decision. Approve needs as many different operators as the hold asks
 * for; one denial denies. The signature binds operator, approval, digest and decision; nobody
 * decides twice, nobody decides for another.
 */
export function decide(signed: string, context: ApprovalsContext): Promise<DecisionAnswer> {
  return context.turns.take(() => decideInTurn(signed, context));
}

async function decideInTurn(signed: string, context: ApprovalsContext): Promise<DecisionAnswer> {
  const verified = verifyOperatorDecision(
    signed,
    (name) => context.operators.get(name)?.publicKey ?? null,
  );
  if (!verified.ok) return refuse(verified.code, null, context);
  const { statement } = verified;
  const approval = context.store.get(statement.approval);
  if (approval === null) return refuse('OVERSIGHT_APPROVAL_UNKNOWN', null, context);
  const isDue = approval.state === 'pending' && statement.digest === approval.hold.digest;
  if (isDue && !(context.clock.nowMs() < approval.hold.expiresAt)) {
    await close(approval, 'expired', context);
    return refuse('OVERSIGHT_APPROVAL_EXPIRED', approval, context);
  }
  const operator = context.operators.get(statement.operator) ?? null;
  const answer = rule(rulingOf(approval), statement, questionOf(approval, context), operator);
  if (!answer.ok) return refuse(answer.code, approval, context);
  if (statement.decision === 'modify') {
    const code = modificationRefusal(approval, statement.operator, context);
    if (code !== null) return refuse(code, approval, context);
  }
  const next = await take(approval, statement, signed, answer.ruling, context);
  return { ok: true, approval: next };
}

/** Records and keeps what was said; whoever waits for it is told when it is final. */
async function take(
  approval: Approval,
  statement: OperatorStatement,
  signed: string,
  { state }: Ruling,
  context: ApprovalsContext,
): Promise<Approval> {
  const { operator, decision, reason } = statement;
  const made: MadeDecision = {
    operator, signed, decision,
    at: context.clock.nowMs(),
    openedAt: context.opened.at(approval.id, operator),
    reasonDigest: reason === '' ? null : digestOf(reason.trim().toLowerCase()),
  };
  const next: Approval = { ...approval, decisions: [...approval.decisions, made], state };
  const detail = {
    operator, decision, digest: approval.hold.digest, signed, state,
    ...(approval.probe === true ? { probe: true, caught: decision !== 'approve' } : {}),
  };
  const outcome = decision === 'deny' ? 'NO-GO' : decision === 'approve' ? 'GO' : 'ESCALATE';
  await context.recorder.record(
    [entry(next, 'approval.decided', outcome, null, detail, context)], { privileged: true },
  );
  await context.store.save(next);
  if (state !== 'pending') context.settled(next);
  return next;
}

/** What is asked, with who may not answer. */
export function questionOf(
  { hold, modifications = [] }: Approval,
  { approversOf }: Pick<ApprovalsContext, 'approversOf'>,
): Question {
  return {
    digest: hold.digest,
    approvalsNeeded: hold.approvalsNeeded,
    approvers: approversOf(hold.action),
    causedBy: [...(hold.causedBy ?? []), ...modifications.map(({ operator }) => operator)],
  };
}

/** Where the question stands by what was said so far. */
export function rulingOf({ state, decisions }: Approval): Ruling {
  const raised = decisions.filter(({ decision }) => decision === 'escalate').length;
  return {
    ...unruled,
    state: state === 'expired' ? 'denied' : state,
    approvedBy: decisions
      .filter(({ decision = 'approve' }) => decision === 'approve')
      .map(({ operator }) => operator),
    level: raised === 0 ? null : raised === 1 ? 'security' : 'ciso',
  };
}

const modificationsMax = 3;

/** A change that nobody else could release would only wait until it expires. */
function modificationRefusal(
  approval: Approval,
  by: string,
  context: ApprovalsContext,
): OversightCode | null {
  // No agent bears such a name: what the node itself asks is not made of a message.
  if (approval.hold.executor.includes(':')) return 'OVERSIGHT_NOT_MODIFIABLE';
  const before = approval.modifications ?? [];
  if (!(before.length < modificationsMax)) return 'OVERSIGHT_MODIFICATION_LIMIT';
  const { causedBy, approvers, approvalsNeeded } = questionOf(approval, context);
  const others = [...context.operators.values()].filter((operator) =>
    operator.name !== by && !causedBy.includes(operator.name) &&
    mayDecide(operator, null, approvers));
  return others.length >= approvalsNeeded ? null : 'OVERSIGHT_MODIFIED_BY_NOBODY_ELSE';
}

/** The changes that a question stands on, when its sidecar says that it made them. */
function modificationsOf(known: Approval | null, request: Hold): readonly MadeDecision[] {
  const { modifiedBy = [] } = request;
  if (known?.state !== 'modified') return [];
  const made = [...(known.modifications ?? []), ...known.decisions.slice(-1)];
  const isSame = made.length === modifiedBy.length &&
    made.every(({ operator }, index) => operator === modifiedBy[index]);
  return isSame ? made : [];
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** Recorded among the refusals, which have a quota: whoever guesses cannot fill the log. */
async function refuse(
  code: string,
  approval: Approval | null,
  context: ApprovalsContext,
): Promise<DecisionRefusal> {
  const refused: EntryDraft = {
    kind: 'identity.refused',
    id: context.mintId(),
    at: context.clock.nowMs(),
    actor: 'node',
    task: approval?.hold.task ?? null,
    message: approval?.hold.message ?? null,
    causedBy: [],
    outcome: 'NO-GO',
    code,
    verdicts: [],
    tookUs: null,
    detail: { at: 'approvals', ...(approval === null ? {} : { approval: approval.id }) },
  };
  try {
    await context.recorder.record([refused]);
  } catch {
    // The refusal stands without its record; the recorder has said that it is unavailable.
    return { ok: false, code };
  }
  return { ok: false, code };
}

/** Expiry means denied (EC-2.9). Called on a timer and at start. */
export async function expire(context: ApprovalsContext): Promise<void> {
  const overdue = (approval: Approval): boolean => !(context.clock.nowMs() < approval.hold.expiresAt);
  for (const { id } of context.store.pending().filter(overdue)) {
    await context.turns.take(async () => {
      const now = context.store.get(id);
      if (now?.state === 'pending') await close(now, 'expired', context);
    });
  }
}

async function close(
  approval: Approval,
  state: 'expired',
  context: ApprovalsContext,
): Promise<void> {
  const next: Approval = { ...approval, state };
  await context.recorder.record(
    [entry(next, 'approval.expired', 'NO-GO', 'OVERSIGHT_APPROVAL_EXPIRED', {}, context)],
    { privileged: true },
  );
  await context.store.save(next);
  context.settled(next);
}

function isFlood(request: Hold, context: ApprovalsContext): boolean {
  const pending = context.store.pending().filter(({ probe }) => probe !== true);
  const by = (pick: (held: Hold) => string) =>
    pending.filter((approval) => pick(approval.hold) === pick(request)).length;
  return (
    by((held) => held.requester) >= context.pendingMax ||
    by((held) => held.rootOrigin) >= context.pendingMax
  );
}

function entry(
  approval: Approval,
  kind: EntryDraft['kind'],
  outcome: EntryDraft['outcome'],
  code: string | null,
  detail: EntryDraft['detail'],
  context: ApprovalsContext,
): EntryDraft {
  const { hold } = approval;
  // The person is part of it: one whose decision was recorded and lost decides again, or another.
  const latest = approval.decisions.at(-1)?.operator ?? 'none';
  const step = `${approval.decisions.length}.${latest.slice(0, 64)}.${approval.state}`;
  return {
    kind,
    id: `${approval.id}.${kind}.${step}`,
    at: context.clock.nowMs(),
    actor: 'node',
    task: hold.task,
    message: hold.message,
    causedBy: [hold.message],
    outcome,
    code,
    verdicts: [],
    tookUs: null,
    detail: { approval: approval.id, action: hold.action, risk: hold.risk, ...detail },
  };
}
