// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import type { JsonObject } from '../message/json.ts';
import type { Turns } from '../oversight/turns.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { SidecarFrame, CallsFrame } from '../wire/frame.ts';
import type { DoneWrite } from './done-writes.ts';

/**
 * `waiting`: its executor was asked, or will be once it works again. `people`: no action is declared that
 * undoes it, or nobody signed the stop. Everything else is final.
 */
export type UndoState = 'waiting' | 'undone' | 'refused' | 'failed' | 'in-doubt' | 'people';

/** One action that an emergency is to undo. */
export type Undo = DoneWrite & {
  readonly incident: string;
  readonly state: UndoState;
  readonly code: string | null;
};

/** An emergency whose work is being undone. */
export type Rollback = {
  readonly incident: string;
  /** The operator's kill; null where the observer stopped the mesh and no operator signed anything. */
  readonly signed: string | null;
  readonly at: number;
};

/** Keeps rollbacks. What `begin` and `save` resolved survives `kill -9`. */
export interface RollbackStore {
  isBegun(incident: string): boolean;
  /** With all that belongs to it; those begun before `dropBeforeMs` are forgotten. */
  begin(rollback: Rollback, undos: readonly Undo[], dropBeforeMs: number): Promise<void>;
  save(undo: Undo): Promise<void>;
  /** Newest incident first, at most `limit`. */
  list(limit: number): readonly Undo[];
  find(incident: string, call: string): Undo | null;
  /** What this executor has not answered, with the order that it goes by. */
  waiting(executor: string, limit: number): readonly { readonly undo: Undo; readonly signed: string }[];
}

export type RollbackContext = {
  readonly store: RollbackStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly turns: Turns;
};

type UndoFrame = Extract<CallsFrame, { kind: 'undo-call' }>;
type Undone = Extract<SidecarFrame, { kind: 'call-undone' }>;

const keptMs = 90 * 86_400_000;
const framesMax = 64;
/** Calls that one incident undoes; what is beyond is counted in its report, and left to people. */
export const undosMax = 1_000;

/** Answers after which the same call may be asked for again. */
const passing: ReadonlySet<string> = new Set([
  'SIDECAR_UNDO_WAITS', 'SIDECAR_RECORD_UNAVAILABLE', 'SIDECAR_LEASE_EXPIRED', 'PACE_STOPPED', 'PACE_READ_ONLY',
  'PACE_LEASE_EXPIRED', 'TOOL_NOT_RECORDED', 'TOOL_STORE_UNAVAILABLE', 'TOOL_GATE_NOT_READY',
  'TOOL_POLICY_SUPERSEDED', 'TOOL_ADMISSION_LATE', 'IDENTITY_REVOKED',
]);

/**
 * Begins what an emergency undoes: durable, and then owed to the executors until they answer. Once for each
 * incident, whatever crashed in between. Rejects when it could not be made durable; it is begun again then.
 */
export function beginRollback(
  incident: string,
  signed: string | null,
  writes: readonly DoneWrite[],
  context: RollbackContext,
): Promise<JsonObject> {
  return context.turns.take(async () => {
    const { store, clock } = context;
    const undos = writes.slice(0, undosMax).flatMap((write): readonly Undo[] => {
      if (write.reversibility === 'irreversible') return [];
      const starts = write.undo !== null && signed !== null;
      return [{ ...write, incident, state: starts ? 'waiting' : 'people', code: null }];
    });
    const at = clock.nowMs();
    if (!store.isBegun(incident)) await store.begin({ incident, signed, at }, undos, at - keptMs);
    const count = (state: UndoState): number => undos.filter((undo) => undo.state === state).length;
    return {
      started: count('waiting'), leftToPeople: count('people') + Math.max(0, writes.length - undosMax),
      irreversible: writes.slice(0, undosMax).length - undos.length,
    };
  });
}

/** What this executor is to undo, the oldest incident first. */
export function undoFrames(executor: string, { store }: RollbackContext): readonly UndoFrame[] {
  return store.waiting(executor, framesMax).map(({ undo: { request: call, incident }, signed }) =>
    ({ kind: 'undo-call', call, incident, signed }));
}

/**
 * The executor answered; durable first, then on record. An answer that may be another one later leaves the
 * call waiting. Nothing is changed where nothing of this executor waits for that answer.
 */
export function undoHeard(
  executor: string,
  { call, incident, status, code }: Undone,
  context: RollbackContext,
): Promise<Undo | null> {
  return context.turns.take(async () => {
    const { store, recorder, clock } = context;
    const undo = store.find(incident, call);
    if (undo?.executor !== executor || undo.state !== 'waiting') return null;
    const state = stateAfter(status, code);
    if (state === 'waiting' && undo.code === code) return undo;
    const answered: Undo = { ...undo, state, code };
    await store.save(answered);
    if (state === 'waiting') return answered;
    const { action, requester, undo: by } = answered;
    await recorder.record([{
      ...blankEntry({
        kind: 'pace.undone', id: `pace.undone.${incident}.${call}`, at: clock.nowMs(), actor: 'node',
        detail: { incident, call, executor, requester, action, undo: by, state },
      }),
      outcome: state === 'undone' ? 'GO' : 'NO-GO',
      code,
    }], { privileged: true });
    return answered;
  });
}

function stateAfter(status: Undone['status'], code: string | null): UndoState {
  switch (status) {
    case 'DONE':
      return 'undone';
    case 'IN-DOUBT':
      return 'in-doubt';
    case 'FAILED':
      return 'failed';
    case 'REFUSED':
      return code !== null && passing.has(code) ? 'waiting' : 'refused';
    default:
      return status satisfies never;
  }
}
