// SPDX-License-Identifier: Apache-2.0
import { allot, settle, usedOf, type AllotmentAnswer, type BreakerTurn } from '../bounds/allot.ts';
import type { AllotmentAsk, AllotmentReport } from '../bounds/ask.ts';
import { askingOf, boundsSubtrees } from '../bounds/bounds-of.ts';
import type { LedgerStore } from '../bounds/ledger.ts';
import { stepsOf, superiorsOf, type LineageStore } from '../bounds/lineage.ts';
import { conditionsAgainst } from '../intent/condition.ts';
import { isConditioned } from '../intent/watched.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonObject } from '../message/json.ts';
import type { ApprovalStore } from '../oversight/approvals.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import { noteProgress, type ProgressContext } from './progress.ts';

export type AllotmentsContext = {
  readonly mesh: Mesh;
  readonly ledger: LedgerStore;
  readonly lineage: LineageStore;
  /** Names of the agents that spawned this one, and of those that spawned those. */
  readonly spawnedBy: (agent: string) => readonly string[];
  /** What people released, as this node took it from them. */
  readonly approvals: Pick<ApprovalStore, 'byMessage'>;
  /** To whom a registered mandate was given, as the last of its path; null where none is known. */
  readonly delegateOf: (mandate: string) => string | null;
  /** What happened in each task before. */
  readonly progress: ProgressContext;
  readonly recorder: Recorder;
  /** Neither set forward nor back while this node runs; see `adapters/clock-steady.ts`. */
  readonly clock: Clock;
  readonly mintId: () => string;
};

/**
 * The one owner of all caps and bounds of the mesh (EC-2.3): answers only what is durable, so that a
 * grant survives whatever comes after it. The executor is who the connection proved to be. Never
 * rejects.
 */
export async function askAllotment(
  executor: string,
  ask: AllotmentAsk,
  context: AllotmentsContext,
): Promise<AllotmentAnswer> {
  const { mesh, ledger, clock } = context;
  try {
    const released = ask.released && isReleased(executor, ask, 'BOUNDS_HALF_REACHED', context);
    const asking = chargesOthers(executor, ask, context)
      ? null
      : askingOf(executor, { ...ask, released }, superiors(ask, context), mesh);
    if (asking === null) {
      const refused = { outcome: 'refused', code: 'BOUNDS_ASK_REFUSED', bound: 'ask' } as const;
      raise(refused, executor, ask, context);
      return refused;
    }
    const condition = conditionOn(executor, ask, context);
    if (condition !== null) {
      if (condition.outcome === 'refused') raise(condition, executor, ask, context);
      return condition;
    }
    const answer = await ledger.change((state) => allot(state, asking, clock.nowMs()));
    if (answer.outcome === 'refused') raise(answer, executor, ask, context);
    return answer;
  } catch {
    // Not durable, so nothing is handed out; whatever was charged is charged for nothing.
    return { outcome: 'refused', code: 'BOUNDS_STORE_UNAVAILABLE', bound: 'store' };
  }
}

/**
 * A right to `perform` names no executor, so the register says whose it is: the originator gave that
 * mandate to the executor itself. Another one that serves the same action cannot use it up.
 */
function chargesOthers(executor: string, { charges }: AllotmentAsk, { delegateOf }: AllotmentsContext): boolean {
  return charges.some(({ key }) => {
    const [, mandate = '', right = ''] = key.split('/');
    return right.startsWith('perform ') && delegateOf(mandate) !== `agent:${executor}`;
  });
}

/** How a call ended, told again until it is heard. Rejects when it could not be made durable. */
export async function settleAllotment(
  executor: string,
  report: AllotmentReport,
  context: AllotmentsContext,
): Promise<void> {
  const { mesh, ledger, clock } = context;
  const { ask, end, unusedShare } = report;
  const asking = askingOf(executor, ask, superiors(ask, context), mesh);
  // The mesh file changed since: what was charged stays until it leaves its window.
  if (asking === null) return;
  const nowMs = clock.nowMs();
  const turned = await ledger.change((state) => settle(state, asking, end, unusedShare, nowMs));
  for (const { breaker, to } of turned) {
    noteTurn({ breaker, to }, executor, ask, context);
    if (to === 'open') raise({ code: 'BOUNDS_BREAKER_OPEN', bound: breaker }, executor, ask, context);
  }
}

/** What the task as a whole says against the action; null for nothing. People release a doubt. */
function conditionOn(
  executor: string,
  ask: AllotmentAsk,
  context: AllotmentsContext,
): Exclude<AllotmentAnswer, { outcome: 'granted' }> | null {
  const { action, requester, task } = ask;
  if (action === null || !isConditioned(action, context.mesh)) return null;
  const asked = { action, requester, executor };
  const against = conditionsAgainst(asked, context.progress.store.of(task), context.mesh);
  const [refusal] = against.filter(({ outcome }) => outcome === 'NO-GO');
  if (refusal !== undefined) return { outcome: 'refused', code: refusal.code, bound: refusal.of };
  const [doubt, ...more] = against.filter(({ code }) =>
    !(ask.released && isReleased(executor, ask, code, context)));
  if (doubt === undefined) return null;
  // People decide once: what they are not told of now would refuse what they have released.
  const also = [...new Set(more.map(({ code }) => code))].filter((code) => code !== doubt.code);
  return { outcome: 'escalate', code: doubt.code, bound: doubt.of, ...(also.length === 0 ? {} : { also }) };
}

/** A message that the bus admits hands its task on; durable before the message is delivered. */
export async function noteHandOver(body: EnvelopeBody, context: AllotmentsContext): Promise<void> {
  await noteProgress(body, context.progress);
  if (!boundsSubtrees(context.mesh)) return;
  if (body.schema === actionOutcomeSchema || body.schema === actionRequestSchema) return;
  const { task, from, to } = body;
  const step = { task, by: from, to };
  const steps = stepsOf(step, handOversOf(context), rootOf(context), context.lineage);
  if (steps.length > 0) await context.lineage.add(steps, context.clock.nowMs());
}

/**
 * Whether people released this very request with this reason before them: that a sum was half used,
 * or a doubt about its task. An executor says so for what it likes, and an approval for another
 * reason says nothing of the sums: releasing one opens it to everybody for as long as its window.
 */
function isReleased(
  executor: string,
  { holder, requester, task, action }: AllotmentAsk,
  reason: string,
  { approvals }: AllotmentsContext,
): boolean {
  const approval = approvals.byMessage(holder, executor);
  if (approval?.state !== 'approved') return false;
  const { hold } = approval;
  const isSame = hold.message === holder && hold.executor === executor && hold.task === task &&
    hold.requester === requester && hold.action === action;
  return isSame && hold.reasons.includes(reason);
}

function superiors(ask: AllotmentAsk, context: AllotmentsContext): readonly string[] {
  if (!boundsSubtrees(context.mesh)) return [];
  return superiorsOf(ask.task, ask.requester, handOversOf(context), rootOf(context));
}

/** Whoever spawned an agent hands it everything it does, for as long as it lives. */
function handOversOf(
  { lineage, spawnedBy }: AllotmentsContext,
): Pick<LineageStore, 'handedBy' | 'everHandedBy'> {
  return {
    handedBy: (task, to) => [...lineage.handedBy(task, to), ...spawnedBy(to)],
    everHandedBy: (to) => [...lineage.everHandedBy(to), ...spawnedBy(to)],
  };
}

function rootOf({ mesh }: AllotmentsContext): (agent: string) => boolean {
  return (agent) => mesh.agents.get(agent)?.originator === true;
}

/** What an agent has used of its own bounds, for people who look. */
export function usedByAgent(name: string, context: AllotmentsContext): readonly JsonObject[] {
  const agent = context.mesh.agents.get(name);
  const nowMs = context.clock.nowMs();
  const rows: JsonObject[] = [];
  for (const scope of ['own', 'subtree'] as const) {
    for (const [impact, windows] of agent?.bounds[scope] ?? []) {
      for (const { windowMs, most } of windows) {
        const key = `${scope === 'own' ? 'agent' : 'subtree'}/${name}/${impact}`;
        const used = usedOf(context.ledger.view, { key, windowMs }, nowMs);
        rows.push({ scope, impact, windowMs, used, most });
      }
    }
  }
  return rows;
}

/** The state of an agent's circuit breaker, as it was when somebody asked last. */
export function breakerOfAgent(name: string, { ledger }: AllotmentsContext): string {
  return ledger.view.breaker(`agent/${name}`)?.state ?? 'closed';
}

export async function pruneBounds(context: AllotmentsContext): Promise<void> {
  const nowMs = context.clock.nowMs();
  await context.ledger.prune(nowMs);
  await context.lineage.prune(nowMs - lineageKeptMs);
  await context.progress.store.prune(nowMs - lineageKeptMs);
}

/** Longer than any task may last. */
const lineageKeptMs = 8 * 24 * 3_600_000;

/** What state a breaker was in at any moment follows from these; the sign beside it may be counted away. */
function noteTurn(
  { breaker, to }: BreakerTurn,
  executor: string,
  { task, holder, requester }: AllotmentAsk,
  { recorder, clock, mintId }: AllotmentsContext,
): void {
  const entry = blankEntry({
    kind: 'breaker.changed', id: mintId(), at: clock.nowMs(), actor: 'node', task, message: holder,
    detail: { breaker, to, agent: requester, executor },
  });
  recorder.record([entry]).catch(() => {
    // The breaker stands; the recorder has said by itself that it is unavailable.
    return undefined;
  });
}

/** A bound that stops somebody is a sign for PACE; recorded among the indicators, with a quota. */
function raise(
  { code, bound }: { readonly code: string; readonly bound: string },
  executor: string,
  ask: AllotmentAsk,
  { recorder, clock, mintId }: AllotmentsContext,
): void {
  const entry: EntryDraft = {
    kind: 'indicator.raised',
    id: mintId(),
    at: clock.nowMs(),
    actor: 'node',
    task: ask.task,
    message: ask.holder,
    causedBy: [],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { agent: ask.requester, executor, bound, indicator: 'BLAST_RADIUS' },
  };
  recorder.record([entry]).catch(() => {
    // The refusal stands; the recorder has said by itself that it is unavailable.
    return undefined;
  });
}
