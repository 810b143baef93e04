// SPDX-License-Identifier: Apache-2.0
import type { SettlementStatement } from '../identity/settlement-statement.ts';
import type { Clock } from '../message/clock.ts';
import { doubtfulCallDigest, type DoubtfulCall } from '../message/doubtful-call.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { ToolCode } from './codes.ts';
import type { DoubtfulIntent, IntentStore } from './intent-store.ts';

export type SettleContext = {
  readonly agent: string;
  readonly intents: Pick<IntentStore, 'inDoubt' | 'settlementOf' | 'settleDoubt'>;
  readonly recorder: Recorder;
  readonly clock: Clock;
};

/** A call in doubt as people are shown it. */
export function doubtfulCallOf(intent: DoubtfulIntent): DoubtfulCall {
  const { requestId, executor, requester, action, tool, operation, risk, task, at, code } = intent;
  return {
    call: requestId, executor, requester, action, tool, operation, risk, task, since: at, code,
  };
}

/**
 * Settles a call in doubt by the word of an operator whose signature the caller has verified (G10).
 * On record before it takes effect. The same statement again changes nothing; another one for a call
 * that is settled is refused. Null once it holds; TOOL_NOT_RECORDED and TOOL_STORE_UNAVAILABLE mean
 * that the same statement may be given again. One at a time: the caller takes turns.
 */
export async function settleDoubt(
  statement: SettlementStatement,
  signed: string,
  context: SettleContext,
): Promise<ToolCode | null> {
  const { agent, intents, clock } = context;
  const { id, call, digest, end } = statement;
  if (statement.executor !== agent) return 'TOOL_CALL_FOREIGN';
  try {
    const earlier = intents.settlementOf(call);
    if (earlier !== null) return earlier === id ? null : 'TOOL_CALL_SETTLED';
    const held = intents.inDoubt().find(({ requestId }) => requestId === call);
    if (held === undefined) return 'TOOL_CALL_UNKNOWN';
    if (doubtfulCallDigest(doubtfulCallOf(held)) !== digest) return 'TOOL_CALL_CHANGED';
    const entry = settledEntry(statement, signed, held, clock.nowMs());
    if (!(await isRecorded(entry, context.recorder))) return 'TOOL_NOT_RECORDED';
    const settlement = { statement: id, end, at: clock.nowMs() };
    // Tried again while it was put on record: then nobody has said anything about this attempt.
    return (await intents.settleDoubt(held, settlement)) ? null : 'TOOL_CALL_CHANGED';
  } catch {
    // Nothing was changed, or everything: the same statement tells which.
    return 'TOOL_STORE_UNAVAILABLE';
  }
}

async function isRecorded(entry: EntryDraft, recorder: Recorder): Promise<boolean> {
  try {
    await recorder.record([entry], { privileged: true });
    return true;
  } catch {
    // Without a record it does not take effect; the call stays in doubt.
    return false;
  }
}

function settledEntry(
  { id, operator, end, reason, at: signedAt }: SettlementStatement,
  signed: string,
  intent: DoubtfulIntent,
  nowMs: number,
): EntryDraft {
  const { requestId, executor, requester, action, tool, operation, task, risk, code } = intent;
  return {
    kind: 'tool.settled',
    // One statement is in the log once, also when a crash has it applied again.
    id: `${requestId}.tool.settled.${id}`,
    at: nowMs,
    actor: `sidecar:${executor}`,
    task,
    message: requestId,
    causedBy: [requestId],
    outcome: end === 'done' ? 'GO' : 'NO-GO',
    code: end === 'done' ? null : 'TOOL_SETTLED_NOT_RUN',
    verdicts: [],
    tookUs: null,
    detail: {
      tool, operation, action, requester, risk, end, operator, reason, signedAt,
      doubt: code,
      // Whoever reads the log checks it against the operator's key and believes nobody.
      signed,
    },
  };
}
