// SPDX-License-Identifier: Apache-2.0
import { verifyOperatorDecision } from '../identity/operator-signature.ts';
import type { Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { Approver } from './approver.ts';
import type { Hold } from './hold.ts';
import type { Turns } from './turns.ts';

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired';

/** A held action and what people said about it. */
export type Approval = {
  readonly id: string;
  readonly hold: Hold;
  readonly state: ApprovalState;
  readonly heldAt: number;
  /** Signed decisions as the operators' keys made them, in order. */
  readonly decisions: readonly { readonly operator: string; readonly signed: string }[];
};

/** Durable queue of held actions; every resolved call survives `kill -9`. */
export interface ApprovalStore {
  get(id: string): Approval | null;
  /**
   * One approval per message and executor: holding the same message again finds the first, and no
   * other sidecar can have put words of its own in its place.
   */
  byMessage(message: string, executor: string): Approval | null;
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

async function holdInTurn(request: Hold, context: ApprovalsContext): Promise<Approval> {
  const known = context.store.byMessage(request.message, request.executor);
  if (known?.hold.digest === request.digest) return known;
  if (known?.state === 'pending') await supersede(known, context);
  const flooded = isFlood(request, context);
  const approval: Approval = {
    id: context.mintId(),
    hold: request,
    state: flooded ? 'denied' : 'pending',
    heldAt: context.clock.nowMs(),
    decisions: [],
  };
  const entries = [entry(approval, 'approval.held', 'ESCALATE', null, {
    reasons: [...request.reasons],
    approvalsNeeded: request.approvalsNeeded,
    expiresAt: request.expiresAt,
  }, context)];
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

/** Nobody waits for the word to arrive: the action is held, told or not. */
function tell(approval: Approval, context: ApprovalsContext): void {
  const { action, risk, executor, expiresAt } = approval.hold;
  context.approver
    .waiting({ approval: approval.id, action, risk, executor, expiresAt })
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
  if (approval.hold.digest !== statement.digest) {
    return refuse('OVERSIGHT_APPROVAL_DIGEST_MISMATCH', approval, context);
  }
  if (approval.state !== 'pending') return refuse('OVERSIGHT_APPROVAL_CLOSED', approval, context);
  if (!(context.clock.nowMs() < approval.hold.expiresAt)) {
    await close(approval, 'expired', context);
    return refuse('OVERSIGHT_APPROVAL_EXPIRED', approval, context);
  }
  if (approval.decisions.some((made) => made.operator === statement.operator)) {
    return refuse('OVERSIGHT_APPROVAL_SAME_PERSON', approval, context);
  }
  const decisions = [...approval.decisions, { operator: statement.operator, signed }];
  const complete = decisions.length >= approval.hold.approvalsNeeded;
  const state = statement.decision === 'deny' ? 'denied' : complete ? 'approved' : 'pending';
  const next: Approval = { ...approval, decisions, state };
  await context.recorder.record(
    [
      entry(next, 'approval.decided', statement.decision === 'deny' ? 'NO-GO' : 'GO', null, {
        operator: statement.operator,
        decision: statement.decision,
        digest: approval.hold.digest,
        signed,
        state,
      }, context),
    ],
    { privileged: true },
  );
  await context.store.save(next);
  if (state !== 'pending') context.settled(next);
  return { ok: true, approval: next };
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
  const pending = context.store.pending();
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
