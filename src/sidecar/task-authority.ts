// SPDX-License-Identifier: Apache-2.0
import { isHolder } from '../mandate/link.ts';
import { readUnverified } from '../mandate/narrow.ts';
import type { SidecarContext } from './context.ts';
import type { AgentMemory } from './memory.ts';

/** Null when it was done, else the code of the refusal. */
export type Refused = string | null;

/**
 * Ends a task that this agent started: every mandate for it is void from now on, here and, within a
 * second, everywhere. Where nothing was given for the task there is nothing to end. Codes
 * SIDECAR_TASK_UNKNOWN, SIDECAR_BUS_UNREACHABLE and those of the control plane.
 */
export async function endTask(
  task: string,
  memory: AgentMemory,
  context: SidecarContext,
): Promise<Refused> {
  const given = context.store.givenMandates(task);
  const isOrigin = memory.place(task)?.isOrigin === true || given.length > 0;
  if (!context.agent.originator || !isOrigin) return 'SIDECAR_TASK_UNKNOWN';
  return given.length === 0 ? null : context.link.endTask(task);
}

/**
 * Takes a mandate that a person issued to this agent outside of the mesh: it is believed first, is
 * for this very agent, and gives it the task that it names. Codes `MANDATE_*`.
 */
export async function holdMandate(
  chain: string,
  memory: AgentMemory,
  context: SidecarContext,
): Promise<{ readonly task: string } | { readonly code: string }> {
  const stated = readUnverified(chain);
  if (!stated.ok) return stated;
  const { task, audience, path } = stated.mandate;
  const self = { name: context.agent.name, spiffeId: context.credential().spiffeId };
  if (!isHolder(audience, self)) return { code: 'MANDATE_AUDIENCE_MISMATCH' };
  const believed = context.verifyMandate(chain, { task, audience: self, staleSnapshot: 'accept' });
  if (!believed.ok) return believed;
  await memory.hold({ task, principal: path.at(-2) ?? '', isOwn: true, chain });
  return { task };
}
