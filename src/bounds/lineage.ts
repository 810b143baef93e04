// SPDX-License-Identifier: Apache-2.0

/** In a task, `by` handed work to `to`. */
export type HandOver = { readonly task: string; readonly by: string; readonly to: string };

/**
 * Who handed whom each task, kept for as long as tasks last. `add` resolves when the steps survive
 * `kill -9`, and rejects when they do not; reads see them by then.
 */
export interface LineageStore {
  /** Who handed the agent this task, directly. */
  handedBy(task: string, to: string): readonly string[];
  /** Who handed the agent any task that is remembered. */
  everHandedBy(to: string): readonly string[];
  add(steps: readonly HandOver[], nowMs: number): Promise<void>;
  prune(beforeMs: number): Promise<void>;
}

/**
 * Everybody whom an agent works for in a task: who handed it on to it, and who to those. A task that
 * nobody handed to its first agent is that agent's own: it belongs to everybody who ever handed that
 * agent work, else an agent would leave the sub-tree by starting a task. `isRoot` tells who relays a
 * person's words, and works for nobody.
 */
export function superiorsOf(
  task: string,
  agent: string,
  store: Pick<LineageStore, 'handedBy' | 'everHandedBy'>,
  isRoot: (agent: string) => boolean,
): readonly string[] {
  const found = new Set<string>();
  const pending = [agent];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    if (isRoot(one)) continue;
    const inTask = store.handedBy(task, one);
    for (const by of inTask.length > 0 ? inTask : store.everHandedBy(one)) {
      if (by === agent || found.has(by)) continue;
      found.add(by);
      pending.push(by);
    }
  }
  return [...found];
}

/**
 * What a message from one agent to another adds to the lineage of its task. Whatever its type, it
 * hands the task on, unless it goes back to somebody whom the sender works for: else an agent would
 * leave the sub-tree by calling an instruction data. `stored` is what is durable already: what the
 * store knows besides, for example of a child that lives, may be gone when it is asked again.
 */
export function stepsOf(
  { task, by, to }: HandOver,
  store: Pick<LineageStore, 'handedBy' | 'everHandedBy'>,
  isRoot: (agent: string) => boolean,
  stored: Pick<LineageStore, 'handedBy'> = store,
): readonly HandOver[] {
  if (isRoot(to) || stored.handedBy(task, to).includes(by)) return [];
  const above = new Set([by, ...superiorsOf(task, by, store, isRoot)]);
  return above.has(to) ? [] : [{ task, by, to }];
}
