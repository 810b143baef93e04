// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { AgentMemory } from './memory.ts';

/** Rights of orchestrators that only some agents have; who uses one without it gives a sign. */
const codes = { spawn: 'SIDECAR_SPAWN_DENIED', workflow: 'SIDECAR_WORKFLOW_DENIED' } as const;

/**
 * The sign of an agent that tried what it has no right to. One for each run of the agent and thing
 * (`named`: a template or workflow, which the agent chooses), however often it tries.
 */
export function deniedEntry(
  right: keyof typeof codes,
  named: string,
  memory: AgentMemory,
  { agent, clock, keyedDigest }: SidecarContext,
): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `${memory.incarnation}.${right}.${keyedDigest(named)}`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: null,
    message: null,
    causedBy: [],
    outcome: 'NO-GO',
    code: codes[right],
    verdicts: [],
    tookUs: null,
    detail: { agent: agent.name, indicator: right.toUpperCase() },
  };
}
