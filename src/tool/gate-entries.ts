// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { Verdict } from '../review/verdict.ts';
import type { Decision } from './gate-outcome.ts';
import type { Intent, IntentStore } from './intent-store.ts';

export type EntryStamp = {
  /** ULID of this entry; the end of a call has an id of its own instead. */
  readonly id: string;
  readonly at: number;
  readonly agent: string;
};

/**
 * The gate is about to call the tool. Arguments are in the message that caused it, not here (G9).
 */
export function intentEntry(
  intent: Intent,
  stamp: EntryStamp,
  verdicts: readonly Verdict[] = [],
): EntryDraft {
  return {
    ...shared(intent, stamp),
    kind: 'tool.intent',
    id: stamp.id,
    outcome: 'GO',
    code: null,
    verdicts,
    tookUs: null,
  };
}

/**
 * How a call ended. The id of a call's end follows from its request, so that an end recorded again
 * after a crash is in the log once; refusals happen before a call and count each time. A read may be
 * made again for the same request: each time has an end of its own.
 */
export function endEntry(
  intent: Intent | null,
  decision: Decision,
  stamp: EntryStamp,
  tookUs: number | null,
  repeats: string | null = null,
): EntryDraft {
  const kind = endKind(decision.status);
  const named = intent !== null && kind !== 'tool.refused';
  const { detail, ...rest } = shared(intent, stamp);
  return {
    ...rest,
    detail: repeats === null ? detail : { ...detail, repeats },
    kind,
    id: named ? `${intent.requestId}.${kind}${timeOf(intent)}` : stamp.id,
    outcome: decision.status === 'DONE' ? 'GO' : decision.status === 'IN-DOUBT' ? null : 'NO-GO',
    code: decision.code,
    verdicts: decision.verdicts,
    tookUs: tookUs === null ? null : Math.round(tookUs),
  };
}

/** Which of several reads for one request it was; a write runs once. */
function timeOf({ write, at, key }: Intent): string {
  return write ? '' : `.${at.toString(36)}${key.slice(0, 6)}`;
}

/** The earlier request that this one is answered from; null where it is the first under its key. */
export function repeatedBy(
  intent: Intent | null,
  intents: Pick<IntentStore, 'find'>,
): string | null {
  if (intent?.write !== true) return null;
  try {
    const first = intents.find(intent.key)?.intent.requestId ?? intent.requestId;
    return first === intent.requestId ? null : first;
  } catch {
    // The end is recorded all the same; the verifier then finds no call that belongs to it.
    return null;
  }
}

function endKind(status: Decision['status']): 'tool.outcome' | 'tool.in-doubt' | 'tool.refused' {
  switch (status) {
    case 'DONE':
    case 'FAILED':
      return 'tool.outcome';
    case 'IN-DOUBT':
      return 'tool.in-doubt';
    case 'REFUSED':
      return 'tool.refused';
    default:
      return status satisfies never;
  }
}

function shared(
  intent: Intent | null,
  stamp: EntryStamp,
): Pick<EntryDraft, 'at' | 'actor' | 'task' | 'message' | 'causedBy' | 'detail'> {
  return {
    at: stamp.at,
    actor: `agent:${stamp.agent}`,
    task: intent?.task ?? null,
    message: intent?.requestId ?? null,
    causedBy: intent === null ? [] : [intent.requestId],
    detail:
      intent === null
        ? {}
        : {
            tool: intent.tool,
            operation: intent.operation,
            action: intent.action,
            requester: intent.requester,
            ...(intent.mandate === null ? {} : { mandate: intent.mandate }),
            risk: intent.risk,
            write: intent.write,
            key: intent.key.slice(0, 22),
          },
  };
}
