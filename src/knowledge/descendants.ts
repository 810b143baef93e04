// SPDX-License-Identifier: Apache-2.0
import type { ItemStore } from './item-store.ts';

export type Descendants = {
  /** Items that follow from the roots; roots that are items are among them. */
  readonly items: ReadonlySet<string>;
  /** Reads by which one of them was handed to somebody. */
  readonly calls: ReadonlySet<string>;
  /** Processes that read one of them. */
  readonly incarnations: ReadonlySet<string>;
};

type Graph = Pick<ItemStore, 'readsOf' | 'writtenAfter' | 'causedBy'>;

/**
 * Everything that follows from items, messages or reads, by what processes were given: whoever read an
 * item taints all that it writes from then on, in whatever task. Each read and each write is looked
 * at once; there is no bound on their number, since one that is left out goes on poisoning. Messages have
 * ids that their senders chose: what was kept because of one follows from it, and nobody reads it as an item.
 */
export async function descendantsOf(
  roots: readonly string[],
  graph: Graph,
  messages: Iterable<string> = [],
): Promise<Descendants> {
  const items = new Set<string>();
  const calls = new Set<string>();
  /** From which position on all that a process writes follows from a root. */
  const taintedFrom = new Map<string, number>();
  const seen = new Set(roots);
  const waiting = [...roots];
  const reach = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    waiting.push(id);
  };
  for (const message of messages) for (const caused of await graph.causedBy(message)) reach(caused);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    items.add(id);
    for (const caused of await graph.causedBy(id)) reach(caused);
    for (const { incarnation, position, call } of await graph.readsOf(id)) {
      if (call !== null && !calls.has(call)) {
        calls.add(call);
        for (const caused of await graph.causedBy(call)) reach(caused);
      }
      const before = taintedFrom.get(incarnation);
      if (before !== undefined && before <= position) continue;
      taintedFrom.set(incarnation, position);
      for (const { item } of await graph.writtenAfter(incarnation, position)) reach(item);
    }
  }
  return { items, calls, incarnations: new Set(taintedFrom.keys()) };
}
