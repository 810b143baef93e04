// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { InboxMessage } from './ports.ts';
import { senderRefusal } from './standing.ts';

/** Where a process stands in the tasks that it was given. */
export type Places = {
  readonly place: (task: string) => { readonly goalHash: string | null } | null;
};

/**
 * Leaves out what came from agents that were revoked while it waited here, and what calls the goal of
 * a task another than the process was given; each is refused durably, and on record, before the rest
 * is handed over. `places` is null where nothing is handed on.
 */
export async function withdraw(
  messages: readonly InboxMessage[],
  places: Places | null,
  context: SidecarContext,
): Promise<readonly InboxMessage[]> {
  const kept: InboxMessage[] = [];
  for (const message of messages) {
    const code = senderRefusal(message.body, context.revocations) ?? goalRefusal(message.body, places);
    if (code === null) {
      kept.push(message);
      continue;
    }
    await context.spool([withdrawnEntry(message, code, context)]);
    await context.store.setState(message.body.id, 'refused');
  }
  return kept;
}

/** A task has one goal from its start to its end: the hash of what its originator asked for (PG-3.2). */
function goalRefusal({ task, goalHash }: InboxMessage['body'], places: Places | null): string | null {
  const known = places?.place(task)?.goalHash ?? null;
  const isOther = known !== null && goalHash !== null && goalHash !== known;
  return isOther ? 'SIDECAR_GOAL_CHANGED' : null;
}

function withdrawnEntry({ body }: InboxMessage, code: string, context: SidecarContext): EntryDraft {
  return {
    kind: 'message.refused',
    id: `${body.id}.withdrawn`,
    at: context.clock.nowMs(),
    actor: `sidecar:${context.agent.name}`,
    task: body.task,
    message: body.id,
    causedBy: [body.id],
    outcome: 'NO-GO',
    code,
    verdicts: [],
    tookUs: null,
    detail: { from: body.from, schema: body.schema, isolation: context.isolation },
  };
}
