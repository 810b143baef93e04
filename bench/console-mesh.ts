// SPDX-License-Identifier: Apache-2.0
import type { MapAgent, MapEdge } from '../src/console/mesh-map.ts';
import type { RecordedEntry } from '../src/recorder/entry.ts';

const zones = 5;
const types = 6;
const waysEach = 3;

/** Agents in five zones and six types, with three ways each, the same at each run. */
export function largeMesh(count: number): { readonly agents: readonly MapAgent[]; readonly edges: readonly MapEdge[] } {
  const agents = Array.from({ length: count }, (_, index): MapAgent => ({
    name: `agent-${index}`, role: 'RETRIEVER', zone: `zone-${index % zones}`, template: `worker-${Math.floor(index / zones) % types}`,
    originator: false, tools: ['mail'], state: index % 997 === 0 ? 'stopped' : index % 211 === 0 ? 'away' : 'up',
  }));
  const edges = agents.flatMap(({ name }, index): readonly MapEdge[] => Array.from({ length: waysEach }, (_, way) => ({
    from: name, to: `agent-${(index * 7 + way * 131 + 1) % count}`, mayRequest: way === 0 ? ['pay'] : [],
  })));
  return { agents, edges };
}

/** A step between two agents; every hundredth is refused, every fiftieth escalated. */
export function madeEntry(sequence: number, agents: readonly MapAgent[], edges: readonly MapEdge[], nowMs: number): RecordedEntry {
  const edge = edges[(sequence * 7_919) % edges.length];
  const outcome = sequence % 100 === 0 ? 'NO-GO' : sequence % 50 === 0 ? 'ESCALATE' : 'GO';
  const id = `01K74F0Z${String(sequence).padStart(18, '0')}`;
  return {
    sequence, recordedAt: nowMs, at: nowMs, kind: 'message.outbound', id, actor: `agent:${edge?.from ?? agents[0]?.name ?? ''}`,
    task: id, message: id, causedBy: [], outcome, code: outcome === 'GO' ? null : 'SCAN_INJECTION', verdicts: [], tookUs: 100,
    detail: { to: edge?.to ?? '', schema: 'note/1' },
  } as unknown as RecordedEntry;
}
