// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { InboxMessage } from './ports.ts';

/**
 * Messages that follow from one that a judge refused after it had gone on (DESIGN 6.1), or from an item that
 * an operator put aside, as the node found them by their causes, with the runs that read of it. What
 * still waits is not handed over any more. Resolves with the incarnation that read one of them, or
 * null: whatever its process has made of it goes with it.
 */
export async function quarantine(
  messages: readonly string[],
  incarnations: readonly string[],
  context: SidecarContext,
): Promise<string | null> {
  const { store, spool } = context;
  const known = messages.flatMap((id) => store.message(id) ?? []);
  const present = store.incarnation();
  const current = present === null || present.endedAt !== null ? null : present.id;
  // What a process had in hand that has ended would be handed to the next one.
  const waiting = known.filter(({ state, incarnation }) =>
    state === 'pending' || (state === 'handed' && incarnation !== current));
  await Promise.all(waiting.map(({ body }) => store.setState(body.id, 'refused')));
  if (waiting.length > 0) await spool(waiting.map((message) => quarantinedEntry(message, null, context)));
  if (current !== null && incarnations.includes(current)) return current;
  return known.some(({ incarnation }) => incarnation !== null && incarnation === current) ? current : null;
}

/** A message that no process is given, with the incarnation that had it in hand. */
export function quarantinedEntry(
  { body }: InboxMessage,
  incarnation: string | null,
  { agent, clock }: SidecarContext,
): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `${body.id}.quarantined`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: body.task,
    message: body.id,
    causedBy: [body.id],
    outcome: null,
    code: 'SIDECAR_QUARANTINED',
    verdicts: [],
    tookUs: null,
    detail: { from: body.from, incarnation },
  };
}
