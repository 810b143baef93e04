// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { RecordedEntry } from '../recorder/entry.ts';

/** What followed from a message, by the causes that sidecars stamped. */
export type Followed = {
  /** Messages by the agent that each was for; the refused one is among them. */
  readonly messages: ReadonlyMap<string, readonly string[]>;
  /** Actions that were done on the way, for people to undo. */
  readonly done: number;
};

/**
 * Everything that names a message as its cause, and everything that names that, over entries in the
 * order of the log. One pass: what follows stands after what it follows from.
 */
export async function followedFrom(
  message: string,
  entries: AsyncIterable<Pick<RecordedEntry, 'kind' | 'message' | 'causedBy' | 'detail' | 'outcome'>>,
): Promise<Followed> {
  const reached = new Set([message]);
  const messages = new Map<string, string[]>();
  let done = 0;
  for await (const { kind, message: id, causedBy, detail, outcome } of entries) {
    if (id === null) continue;
    if (kind === 'message.outbound' && causedBy.some((cause) => reached.has(cause))) reached.add(id);
    if (!reached.has(id)) continue;
    if (kind === 'tool.outcome' && outcome === 'GO') done += 1;
    const { to } = detail;
    if (kind !== 'message.admitted' || typeof to !== 'string') continue;
    messages.set(to, [...(messages.get(to) ?? []), id]);
  }
  return { messages, done };
}

/** Who answers for the agents that a refused message came from and went to; nobody twice. */
export function ownersOf(agents: readonly string[], mesh: Mesh): readonly string[] {
  return [...new Set(agents.flatMap((name) => mesh.agents.get(name)?.sponsor ?? []))];
}
