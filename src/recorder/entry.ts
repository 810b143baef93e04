// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import type { Verdict } from '../review/verdict.ts';

/** Every step that is recorded (seed 002: actions, verdicts, tool calls, messages, changes). */
export type EntryKind =
  | 'mesh.started'
  | 'mesh.stopped'
  | 'identity.issued'
  | 'identity.refused'
  | 'identity.revoked'
  | 'identity.reinstated'
  | 'mandate.revoked'
  | 'task.ended'
  | 'agent.spawned'
  | 'agent.ended'
  | 'policy.signed'
  | 'workflow.proposed'
  | 'workflow.changed'
  | 'workflow.refused'
  | 'policy.effective'
  | 'session.opened'
  | 'session.ended'
  | 'task.started'
  | 'message.outbound'
  | 'message.admitted'
  | 'message.refused'
  | 'message.delivered'
  | 'request.reviewed'
  | 'approval.held'
  | 'approval.decided'
  | 'approval.expired'
  | 'tool.intent'
  | 'tool.outcome'
  | 'tool.in-doubt'
  | 'tool.settled'
  | 'tool.refused'
  | 'model.called'
  | 'judge.called'
  | 'judge.ruled'
  | 'judge.calibrated'
  | 'workflow.evaluated'
  | 'memory.written'
  | 'memory.read'
  | 'knowledge.read'
  | 'knowledge.ingested'
  | 'knowledge.changed'
  | 'indicator.raised'
  | 'pace.changed'
  | 'pace.stop'
  | 'pace.proposed'
  | 'anomaly.raised'
  | 'observer.tested'
  | 'pace.clamped'
  | 'pace.reported'
  | 'pace.undone'
  | 'pace.spread'
  | 'breaker.changed'
  | 'refusals.counted'
  | 'payload.epoch'
  | 'payload.kept'
  | 'payload.asked'
  | 'payload.opened'
  | 'payload.erased'
  | 'record.held'
  | 'record.released'
  | 'record.pruned'
  | 'record.repeated'
  | 'recorder.unavailable'
  | 'recorder.recovered';

/**
 * One step, as the process that took it describes it. Holds hashes, ids, codes and counts; never a
 * payload, a secret or a matched text (G9).
 */
export type EntryDraft = {
  readonly kind: EntryKind;
  /** Unique, at most 160 characters, chosen by the writer; a resent draft is recorded once. */
  readonly id: string;
  /** Milliseconds since 1970 on the writer's clock. */
  readonly at: number;
  /** Who acted: `agent:NAME`, `operator:NAME`, `node`, `sidecar:NAME`. */
  readonly actor: string;
  readonly task: string | null;
  readonly message: string | null;
  /** Ids of messages or entries that caused this one. */
  readonly causedBy: readonly string[];
  /** What was decided, with the leading code when it was not GO. */
  readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE' | null;
  readonly code: string | null;
  readonly verdicts: readonly Verdict[];
  readonly tookUs: number | null;
  readonly detail: JsonObject;
};

/** A draft as it stands in the log, under the tree whose root the recorder signs. */
export type RecordedEntry = EntryDraft & {
  /** Position in the log, from 0, without gaps. */
  readonly sequence: number;
  /** When the recorder accepted it, milliseconds since 1970; never below the previous entry's. */
  readonly recordedAt: number;
};

export type EntryReceipt = { readonly sequence: number };

/**
 * Where steps are recorded. `record` resolves only when the entry is durable; it rejects with
 * `RecorderError` when it is not, and then the caller treats a HIGH or CRITICAL act as refused.
 * Entries of one call are recorded in order, all or none. A draft whose id was recorded before
 * resolves with the old receipt and is not written again; where it has a number of its writer's, one
 * entry `record.repeated` says so, since the number may be another one this time.
 */
export interface Recorder {
  record(
    entries: readonly EntryDraft[],
    options?: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]>;
}

export type RecorderErrorCode =
  | 'RECORDER_NOT_DURABLE'
  | 'RECORDER_FULL'
  | 'RECORDER_LOG_BROKEN'
  | 'RECORDER_CLOSED'
  | 'RECORDER_ENTRY_INVALID'
  | 'RECORDER_OVERLOADED'
  | 'RECORDER_LOCKED'
  | 'RECORDER_OPTIONS_INVALID'
  | 'RECORDER_CHECKPOINT_MISPLACED'
  | 'RECORDER_CHECKPOINT_INVALID'
  | 'RECORDER_CHECKPOINT_FOREIGN'
  | 'RECORDER_TRUNCATED'
  | 'RECORDER_FORKED'
  | 'RECORDER_LOG_MISSING'
  | 'RECORDER_FORMAT_OLD'
  | 'RECORDER_PROOF_RANGE'
  | 'RECORDER_TILE_MISSING'
  | 'RECORDER_PAYLOAD_UNAVAILABLE'
  | 'RECORDER_CUSTODIAN_KEY_INVALID'
  | 'RECORDER_EPOCH_FORGED'
  | 'RECORDER_OPENING_REFUSED'
  | 'RECORDER_SHARES_MISSING';

export class RecorderError extends Error {
  readonly code: RecorderErrorCode;
  constructor(code: RecorderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RecorderError';
    this.code = code;
  }
}
