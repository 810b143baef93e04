// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { Incarnation } from './ports.ts';

/** A session that opened or ended; a token that was used twice is a sign of compromise as well. */
export function sessionEntries(
  incarnation: Incarnation,
  kind: 'session.opened' | 'session.ended',
  reason: string | null,
  { agent, clock, isolation }: SidecarContext,
): readonly EntryDraft[] {
  const reused = reason === 'SIDECAR_TOKEN_REUSED';
  const entry: EntryDraft = {
    kind,
    id: `${incarnation.id}.${kind}`,
    at: clock.nowMs(),
    actor: `agent:${agent.name}`,
    task: null,
    message: null,
    causedBy: [],
    outcome: null,
    code: reused ? reason : null,
    verdicts: [],
    tookUs: null,
    detail: { incarnation: incarnation.id, isolation, ...(reason === null ? {} : { reason }) },
  };
  if (!reused) return [entry];
  const indicator: EntryDraft = {
    ...entry,
    kind: 'indicator.raised',
    id: `${incarnation.id}.indicator`,
    causedBy: [entry.id],
    detail: { agent: agent.name, indicator: 'COMPROMISE', session: 'ended' },
  };
  return [entry, indicator];
}
