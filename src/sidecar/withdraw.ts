// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { InboxMessage } from './ports.ts';
import { senderRefusal } from './standing.ts';

/**
 * Leaves out what came from agents that were revoked while it waited here; each is refused durably,
 * and on record, before the rest is handed over.
 */
export async function withdrawRevoked(
  messages: readonly InboxMessage[],
  context: SidecarContext,
): Promise<readonly InboxMessage[]> {
  const kept: InboxMessage[] = [];
  for (const message of messages) {
    const code = senderRefusal(message.body, context.revocations);
    if (code === null) {
      kept.push(message);
      continue;
    }
    await context.spool([withdrawnEntry(message, code, context)]);
    await context.store.setState(message.body.id, 'refused');
  }
  return kept;
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
