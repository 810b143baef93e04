// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import { observed, type Observation } from './signal.ts';

/** Tokens that the model of an agent takes at most; null where nobody said. */
export type ContextSize = (agent: string) => number | null;

/**
 * What an entry says of the behaviour of its agent; null where it says nothing. The time is that of the
 * caller: what an entry says of its own is its writer's word.
 */
export function observationOf(entry: EntryDraft, at: number, contextSize: ContextSize): Observation | null {
  const { kind, outcome, tookUs, detail } = entry;
  const agent = agentOf(entry);
  if (agent === null) return null;
  switch (kind) {
    case 'message.outbound':
      return observed(agent, at, { quality: outcome === 'ESCALATE' ? 0 : 1 });
    case 'message.refused':
      return observed(agent, at, { failed: true });
    case 'tool.outcome':
    case 'tool.in-doubt':
    case 'tool.refused': {
      const { tool, operation } = detail;
      const named = typeof tool === 'string' ? `${tool}.${String(operation ?? '')}` : null;
      const latencyMs = kind === 'tool.outcome' && tookUs !== null ? tookUs / 1_000 : null;
      return observed(agent, at, { tool: named, failed: outcome !== 'GO', latencyMs });
    }
    case 'model.called': {
      const { micros, inputTokens } = detail;
      const size = contextSize(agent);
      const contextFill = size !== null && typeof inputTokens === 'number' ? inputTokens / size : null;
      const cost = typeof micros === 'number' ? micros : null;
      return observed(agent, at, { failed: outcome === 'NO-GO', cost, contextFill });
    }
    default:
      return null;
  }
}

/** The agent itself, or its sidecar on its behalf. */
function agentOf({ actor }: EntryDraft): string | null {
  const [kind = '', name = ''] = actor.split(':');
  return (kind === 'agent' || kind === 'sidecar') && name !== '' ? name : null;
}
