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
      return observed(agent, at, { quality: outcome === 'ESCALATE' ? 0 : 1, contentDistance: distanceIn(detail['payload']) });
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
      // A call that was refused says nothing of the context: nobody counted it.
      const counted = typeof inputTokens === 'number' && inputTokens > 0;
      const contextFill = size !== null && counted ? inputTokens / size : null;
      const cost = typeof micros === 'number' ? micros : null;
      return observed(agent, at, { failed: outcome === 'NO-GO', cost, contextFill });
    }
    default:
      return null;
  }
}

/**
 * Whom an entry lets act again, so that the time before it says nothing of its behaviour: one agent by name,
 * everybody where a wider part came back or the mesh began; undefined for any other entry, and for one
 * that a sidecar wrote: it is no word of the mesh.
 */
export function ledBack(entry: Pick<EntryDraft, 'kind' | 'actor' | 'detail'>): string | null | undefined {
  const { kind, detail } = entry;
  if (agentOf(entry) !== null) return undefined;
  const { unit, fromPhase, toPhase, change } = detail;
  const isBack = kind === 'mesh.started' || (kind === 'pace.stop' && change === 'lifted') ||
    ((kind === 'pace.changed' || kind === 'pace.spread') && rankOf(toPhase) >= 0 && rankOf(toPhase) < rankOf(fromPhase));
  if (!isBack) return undefined;
  const named = typeof unit === 'string' && unit.startsWith(agentPrefix) ? unit.slice(agentPrefix.length) : '';
  return named === '' ? null : named;
}

const agentPrefix = 'agent:';
const phases: readonly unknown[] = ['PRIMARY', 'ALTERNATE', 'CONTINGENCY', 'EMERGENCY'];

function rankOf(phase: unknown): number {
  return phases.indexOf(phase);
}

/** As the sidecar measured it (`ContentShape`); what is no share is none. */
function distanceIn(payload: unknown): number | null {
  if (payload === null || typeof payload !== 'object' || !('distance' in payload)) return null;
  const { distance } = payload;
  return typeof distance === 'number' && distance >= 0 && distance <= 1 ? distance : null;
}

/** The agent itself, or its sidecar on its behalf. */
function agentOf({ actor }: Pick<EntryDraft, 'actor'>): string | null {
  const [kind = '', name = ''] = actor.split(':');
  return (kind === 'agent' || kind === 'sidecar') && name !== '' ? name : null;
}
