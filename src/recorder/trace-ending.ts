// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** How the request ended, or where it stands. */
export type TraceOutcome = 'DONE' | 'FAILED' | 'REFUSED' | 'HELD' | 'IN-DOUBT' | 'OPEN';

/**
 * The last entry that says how things stand; of the message asked for, when one was. The node's
 * refusal of a copy says nothing about the message that it had admitted: a replay that failed must
 * not make a paid request look refused. It ends the trace only where that refusal was asked for.
 */
export function endingOf(
  entries: readonly RecordedEntry[],
  message: string | null,
  asked: string,
): { readonly outcome: TraceOutcome; readonly code: string | null } {
  let ending: { outcome: TraceOutcome; code: string | null } = { outcome: 'OPEN', code: null };
  const admitted = new Set<string | null>();
  for (const entry of entries) {
    if (message !== null && entry.message !== message) continue;
    if (entry.kind === 'message.admitted') admitted.add(entry.message);
    const byNode = entry.kind === 'message.refused' && entry.actor === 'node';
    const ofCopy = byNode && entry.code !== 'BUS_EXPIRED_UNDELIVERED';
    if (ofCopy && admitted.has(entry.message) && entry.id !== asked) continue;
    const outcome = outcomeOf(entry);
    if (outcome !== null) ending = { outcome, code: entry.code };
  }
  return ending;
}

function outcomeOf(entry: RecordedEntry): TraceOutcome | null {
  switch (entry.kind) {
    case 'tool.outcome':
    case 'tool.settled':
      return entry.outcome === 'GO' ? 'DONE' : 'FAILED';
    case 'tool.in-doubt':
      return 'IN-DOUBT';
    case 'approval.held':
      return 'HELD';
    case 'approval.decided':
      if (entry.outcome === 'ESCALATE') return 'HELD';
      return entry.outcome === 'GO' ? 'OPEN' : 'REFUSED';
    case 'message.refused':
    case 'tool.refused':
    case 'identity.refused':
    case 'approval.expired':
      return 'REFUSED';
    case 'message.outbound':
    case 'message.admitted':
    case 'message.delivered':
    case 'request.reviewed':
      return entry.outcome === 'NO-GO' ? 'REFUSED' : entry.outcome === 'ESCALATE' ? 'HELD' : null;
    default:
      return null;
  }
}
