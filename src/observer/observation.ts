// SPDX-License-Identifier: Apache-2.0
import { observed, type Observation } from '../anomaly/signal.ts';
import type { RecordedEntry } from '../recorder/entry.ts';

/** What an entry says of the behaviour of its agent; null where it says nothing. */
export function observationOf(entry: RecordedEntry): Observation | null {
  const { kind, at, outcome, tookUs, detail } = entry;
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
    default:
      return null;
  }
}

/** The agent itself, or its sidecar on its behalf. */
function agentOf({ actor }: RecordedEntry): string | null {
  const [kind = '', name = ''] = actor.split(':');
  return (kind === 'agent' || kind === 'sidecar') && name !== '' ? name : null;
}
