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

/** Who belongs to a unit of PACE (`agent:NAME`, `workflow:NAME`, `mesh:mesh`), by the mesh file. */
export type MembersOf = (unit: string) => (agent: string) => boolean;

/**
 * The unit that an entry lets act again, so that the time before it says nothing of the behaviour of its agents;
 * null for any other entry, and for one that a sidecar wrote: it is no word of the mesh. A workflow in ALTERNATE goes
 * on, with a person for its writes, and so do those that follow it (`pace.spread`): nobody stood still.
 */
export function ledBack(entry: Pick<EntryDraft, 'kind' | 'actor' | 'detail'>): string | null {
  const { kind, detail } = entry;
  if (agentOf(entry) !== null) return null;
  if (kind === 'mesh.started') return 'mesh:mesh';
  const { unit, fromPhase, toPhase, change, stage } = detail;
  if (typeof unit !== 'string') return null;
  // What was asked for and declined never stopped anybody.
  if (kind === 'pace.stop') return change === 'lifted' && stage !== 'asked' ? unit : null;
  const stopsFrom = unit.startsWith('agent:') ? 1 : 2;
  const [from, to] = [phases.indexOf(fromPhase), phases.indexOf(toPhase)];
  return kind === 'pace.changed' && from >= stopsFrom && to >= 0 && to < stopsFrom ? unit : null;
}

const phases: readonly unknown[] = ['PRIMARY', 'ALTERNATE', 'CONTINGENCY', 'EMERGENCY'];

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
