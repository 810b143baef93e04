// SPDX-License-Identifier: Apache-2.0
import { keysWith } from '../mesh/operator-roles.ts';
import {
  isRevocationTarget,
  type RevocationChange,
  type RevocationList,
} from '../identity/revocation.ts';
import { verifyRevocation, type RevocationStatement } from '../identity/revocation-statement.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { Turns } from '../oversight/turns.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import { refuse } from './refusal.ts';

/** What a refusal is about, on record. */
const at = { at: 'revocations' } as const;

/**
 * Keeps a revocation list. `add` resolves when steps and version survive `kill -9`; the version
 * never goes back, whatever is added. `load` gives the list as it was kept.
 */
export interface RevocationStore {
  load(nowMs: number): RevocationList;
  byId(id: string): RevocationChange | null;
  add(changes: readonly RevocationChange[], version: number): Promise<void>;
  /** Steps that a crash kept out of the flight recorder, oldest first. */
  unrecorded(): readonly RevocationChange[];
  recorded(version: number): Promise<void>;
}

export type RevocationsContext = {
  readonly mesh: Mesh;
  readonly list: RevocationList;
  readonly store: RevocationStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly mintId: () => string;
  /** One after the other: versions are given in order. */
  readonly turns: Turns;
  /** Told of every step once it holds here: ends connections, tells the others. */
  readonly applied: (change: RevocationChange) => void;
};

export type RevocationAnswer =
  | { readonly ok: true; readonly change: RevocationChange }
  | { readonly ok: false; readonly code: string };

/**
 * Applies an operator's signed statement on an identity (G7). It is durable first, then it holds at
 * this node, then everybody who is connected hears of it, and it is answered once it is on record.
 * The same statement sent again changes nothing and is answered alike. A statement that holds but
 * could not be recorded is refused with CONTROL_REVOCATION_UNRECORDED: it stands; send it again.
 */
export function applyRevocation(
  signed: string,
  context: RevocationsContext,
): Promise<RevocationAnswer> {
  return context.turns.take(() => applyInTurn(signed, context));
}

/**
 * Revokes an instance by the node itself: a spawned agent whose time is over, or an identity that two
 * hold. No operator signs it, because nobody asks why to refuse; only an operator lifts anything.
 */
export function revokeByNode(
  spiffeId: string,
  context: RevocationsContext,
): Promise<RevocationAnswer> {
  return context.turns.take(async () => {
    const target = { kind: 'instance', value: spiffeId } as const;
    const known = context.list.latest(target);
    if (known !== null) return { ok: true, change: known };
    const change: RevocationChange = {
      version: context.list.version + 1,
      id: context.mintId(),
      op: 'revoke',
      target,
      at: context.clock.nowMs(),
      signed: null,
    };
    return (await applyChange(change, context)) ?? recordChange(change, context);
  });
}

async function applyInTurn(
  signed: string,
  context: RevocationsContext,
): Promise<RevocationAnswer> {
  const verified = verifyRevocation(signed, keysWith(context.operators, 'operate'));
  if (!verified.ok) return refuse(verified.code, at, context);
  const { statement } = verified;
  const known = context.store.byId(statement.id);
  if (known !== null) {
    return known.signed === signed
      ? recordChange(known, context)
      : refuse('IDENTITY_REVOCATION_MALFORMED', at, context);
  }
  const refusal = refusalOf(statement, context);
  if (refusal !== null) return refuse(refusal, at, context);
  const change: RevocationChange = {
    version: context.list.version + 1,
    id: statement.id,
    op: statement.op,
    target: statement.target,
    at: context.clock.nowMs(),
    signed,
  };
  return (await applyChange(change, context)) ?? recordChange(change, context);
}

/** Records what a crash kept out of the log. Called once at start. */
export async function recordUnrecorded(context: RevocationsContext): Promise<void> {
  for (const change of context.store.unrecorded()) await recordChange(change, context);
}

function refusalOf(
  { op, target, lifts }: RevocationStatement,
  { mesh, list }: RevocationsContext,
): string | null {
  if (!isRevocationTarget(target, mesh.trustDomain)) return 'IDENTITY_REVOCATION_MALFORMED';
  const agent = agentOf(target.kind, target.value);
  if (agent !== null && !mesh.agents.has(agent)) return 'CONTROL_AGENT_UNKNOWN';
  if (op === 'revoke') return null;
  if (target.kind !== 'agent') return 'CONTROL_REVOCATION_FINAL';
  const holds = list.latest(target);
  return holds?.op === 'revoke' && holds.id === lifts ? null : 'CONTROL_REVOCATION_UNKNOWN';
}

/**
 * Ends a task that its originator says is over: every mandate for it dies with it. Whether the task
 * is this agent's is the caller's to know. As durable, and as visible, as a revocation.
 */
export function endTask(
  task: string,
  by: string,
  context: RevocationsContext,
): Promise<RevocationAnswer> {
  return context.turns.take(() => endTaskInTurn(task, by, context));
}

async function endTaskInTurn(
  task: string,
  by: string,
  context: RevocationsContext,
): Promise<RevocationAnswer> {
  const { list, clock } = context;
  const target = { kind: 'task', value: task } as const;
  const known = list.latest(target);
  if (known !== null) return recordChange(known, context);
  const change: RevocationChange = {
    version: list.version + 1,
    id: context.mintId(),
    op: 'revoke',
    target,
    at: clock.nowMs(),
    signed: null,
    by,
  };
  return (await applyChange(change, context)) ?? recordChange(change, context);
}

/** Null once it holds here and everybody was told; else the refusal: nothing was changed. */
async function applyChange(
  change: RevocationChange,
  context: RevocationsContext,
): Promise<RevocationAnswer | null> {
  try {
    await context.store.add([change], change.version);
  } catch {
    // Not durable, so it does not hold: it would be forgotten at the next start.
    return { ok: false, code: 'CONTROL_REVOCATION_UNAVAILABLE' };
  }
  const update = { since: context.list.version, version: change.version, changes: [change] };
  context.list.update(update, () => true);
  context.applied(change);
  return null;
}

function agentOf(kind: RevocationChange['target']['kind'], value: string): string | null {
  if (kind === 'agent') return value;
  return kind === 'instance' ? (parseSpiffeId(value)?.name ?? null) : null;
}

async function recordChange(
  change: RevocationChange,
  context: RevocationsContext,
): Promise<RevocationAnswer> {
  const verified = verifyRevocation(
    change.signed ?? '',
    (name) => context.operators.get(name)?.publicKey ?? null,
  );
  const said = verified.ok ? verified.statement : null;
  const { kind, value } = change.target;
  const agent = agentOf(kind, value);
  const entry: EntryDraft = {
    kind: entryKindOf(change),
    id: `revocation.${change.id}`,
    at: change.at,
    actor: said === null ? 'node' : `operator:${said.operator}`,
    task: kind === 'task' ? value : null,
    message: null,
    causedBy: [],
    outcome: change.op === 'revoke' ? 'NO-GO' : 'GO',
    code: codeOf(change),
    verdicts: [],
    tookUs: null,
    detail: {
      ...(agent === null ? {} : { agent }),
      ...(change.by === undefined ? {} : { by: change.by.includes(':') ? change.by : `agent:${change.by}` }),
      target: { kind, value },
      version: change.version,
      reason: said?.reason ?? '',
      signed: change.signed,
    },
  };
  try {
    await context.recorder.record([entry], { privileged: true });
    await context.store.recorded(change.version);
    return { ok: true, change };
  } catch {
    // The revocation holds; whoever asked hears that it is not on record yet.
    return { ok: false, code: 'CONTROL_REVOCATION_UNRECORDED' };
  }
}

function entryKindOf({ op, target }: RevocationChange): EntryDraft['kind'] {
  if (target.kind === 'mandate') return 'mandate.revoked';
  if (target.kind === 'task') return 'task.ended';
  return op === 'revoke' ? 'identity.revoked' : 'identity.reinstated';
}

function codeOf({ op, target }: RevocationChange): string | null {
  if (target.kind === 'mandate') return 'MANDATE_REVOKED';
  if (target.kind === 'task') return 'MANDATE_TASK_ENDED';
  return op === 'revoke' ? 'IDENTITY_REVOKED' : null;
}
