// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { InboxMessage } from './ports.ts';

/** Processes that one message may be given to without being acknowledged by any. */
const processesMax = 5;
/** From so many on it is given by itself, so that what came along with it is not blamed for it. */
const suspectFrom = 2;

/**
 * Counts, for the run of this sidecar, how many processes of the agent had a message in hand and
 * ended without acknowledging it. A message that ends every process that reads it would else be
 * read for ever, and nothing behind it.
 */
export class Handovers {
  readonly #processes = new Map<string, Set<string | null>>();

  isSuspect(id: string): boolean {
    return (this.#processes.get(id)?.size ?? 0) >= suspectFrom;
  }

  /**
   * Called with what the last process left behind. What may be given to the next one; the rest is
   * refused durably and on record, for a person to look at (SIDECAR_MESSAGE_POISON).
   */
  async again(
    left: readonly InboxMessage[],
    context: SidecarContext,
  ): Promise<readonly InboxMessage[]> {
    const known = new Set(left.map(({ body }) => body.id));
    for (const id of this.#processes.keys()) if (!known.has(id)) this.#processes.delete(id);
    const kept: InboxMessage[] = [];
    for (const message of left) {
      const { id } = message.body;
      // One that waited behind a suspect was not in the hands of the process that ended.
      const processes = (this.#processes.get(id) ?? new Set()).add(message.incarnation);
      this.#processes.set(id, processes);
      if (processes.size < processesMax) {
        kept.push(message);
        continue;
      }
      await context.spool([poisonEntry(message, context)]);
      await context.store.setState(id, 'refused');
    }
    return kept;
  }
}

function poisonEntry({ body, incarnation }: InboxMessage, context: SidecarContext): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `${body.id}.poison`,
    at: context.clock.nowMs(),
    actor: `sidecar:${context.agent.name}`,
    task: body.task,
    message: body.id,
    causedBy: [body.id],
    outcome: null,
    code: 'SIDECAR_MESSAGE_POISON',
    verdicts: [],
    tookUs: null,
    detail: { from: body.from, incarnation, processes: processesMax },
  };
}
