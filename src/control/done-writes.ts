// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest, Mesh } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';

/** One action that was done, as the record tells it. */
export type Done = {
  readonly at: number;
  readonly action: string;
  readonly requester: string;
  readonly executor: string;
  /** Id of the message that asked for it. */
  readonly request: string;
};

/** What the mesh file says of an action, as far as undoing it goes. */
export type Undoable = Pick<ActionManifest, 'reversibility' | 'write' | 'undo'>;

export type DoneWrite = Done & {
  readonly reversibility: ActionManifest['reversibility'];
  /** The action that undoes it; null where none is declared. */
  readonly undo: string | null;
};

/** An entry of the log from before this run of the node. */
export type EarlierEntry = EntryDraft & { readonly recordedAt: number };

/** Of each executor; its word counts against nobody else's. */
const keptMax = 5_000;
export const doneKeptMs = 24 * 3_600_000;
const namedMax = 100;

/** What one requester had one executor do, by the message that asked for it. */
type Shelf = { readonly done: Map<string, Done>; forgotten: number; forgottenAt: number };
/** Shelves of one executor. `others` is what was forgotten of requesters of whom nothing is left. */
type Shelves = { readonly of: Map<string, Shelf>; count: number; readonly others: Shelf };

/**
 * What was written in the last day, so that a stop can say what of it can be undone, and have it undone: the
 * last 5,000 actions of each executor, each message once. Where there are more, the requester with the most
 * loses its oldest, and it is known that something was lost: no flood hides what another agent had done, and
 * none hides that there was more. What an earlier run of the node saw is read back from the log when it is
 * asked for first.
 */
export class DoneWrites {
  #shelves = new Map<string, Shelves>();
  readonly #earlier: () => AsyncIterable<EarlierEntry>;
  readonly #isKept: IsKept;
  #recalled: Promise<void> | null = null;

  constructor(earlier: () => AsyncIterable<EarlierEntry>, isKept: IsKept) {
    this.#earlier = earlier;
    this.#isKept = isKept;
  }

  take(entry: EntryDraft, at: number): void {
    const done = doneOf(entry, at);
    if (done !== null && this.#isKept(done)) keep(done, this.#shelves);
  }

  /** Reads back what is older than this run, once. Rejects when the log cannot be read; then it is tried again. */
  recall(): Promise<void> {
    this.#recalled ??= this.#recall().catch((failure: unknown) => {
      this.#recalled = null;
      throw failure;
    });
    return this.#recalled;
  }

  /** Of these agents, whether they asked for it or did it; newest first. */
  of(
    agents: readonly string[],
    actions: ReadonlyMap<string, Undoable>,
    nowMs: number,
  ): readonly DoneWrite[] {
    const kept = [...this.#concerning(agents)].flatMap(({ done }) => [...done.values()]);
    return kept.toReversed().toSorted((a, b) => b.at - a.at).flatMap((one) => {
      const manifest = actions.get(one.action);
      if (one.at < nowMs - doneKeptMs || manifest?.write === false) return [];
      // What no manifest describes any more is not called reversible.
      const { reversibility = 'irreversible', undo } = manifest ?? {};
      return [{ ...one, reversibility, undo: undo?.action ?? null }];
    });
  }

  /** How many writes of the last day that may concern these agents are no longer known. */
  forgottenOf(agents: readonly string[], nowMs: number): number {
    let forgotten = 0;
    for (const shelf of this.#concerning(agents)) {
      if (shelf.forgottenAt >= nowMs - doneKeptMs) forgotten += shelf.forgotten;
    }
    return forgotten;
  }

  *#concerning(agents: readonly string[]): Generator<Shelf> {
    const concerned = new Set(agents);
    for (const [executor, { of, others }] of this.#shelves) {
      for (const [requester, shelf] of of) {
        if (concerned.has(requester) || concerned.has(executor)) yield shelf;
      }
      yield others;
    }
  }

  async #recall(): Promise<void> {
    const all = new Map<string, Shelves>();
    for await (const entry of this.#earlier()) {
      const done = doneOf(entry, entry.recordedAt);
      if (done !== null && this.#isKept(done)) keep(done, all);
    }
    for (const [executor, { of, others }] of this.#shelves) {
      for (const { done } of of.values()) for (const one of done.values()) keep(one, all);
      const now = all.get(executor);
      if (now === undefined) continue;
      for (const [requester, { forgotten, forgottenAt }] of of) {
        forget(now.of.get(requester) ?? now.others, forgotten, forgottenAt);
      }
      forget(now.others, others.forgotten, others.forgottenAt);
    }
    this.#shelves = all;
  }
}

/** Whether the action writes, and the executor is one that serves it. */
export type IsKept = (done: Done) => boolean;

/** What the mesh file does not know, an action or an executor, is kept: it may be of an earlier one, or spawned. */
export function isServedWrite({ action, executor }: Done, { actions, agents }: Pick<Mesh, 'actions' | 'agents'>): boolean {
  const manifest = actions.get(action);
  if (manifest === undefined) return true;
  return manifest.write && (agents.get(executor)?.tools.includes(manifest.tool) ?? true);
}

function emptyShelf(): Shelf {
  return { done: new Map(), forgotten: 0, forgottenAt: 0 };
}

function forget(shelf: Shelf, count: number, at: number): void {
  shelf.forgotten += count;
  shelf.forgottenAt = Math.max(shelf.forgottenAt, at);
}

function keep(done: Done, all: Map<string, Shelves>): void {
  const shelves = all.get(done.executor) ?? { of: new Map(), count: 0, others: emptyShelf() };
  all.set(done.executor, shelves);
  const shelf = shelves.of.get(done.requester) ?? emptyShelf();
  shelves.of.set(done.requester, shelf);
  if (shelf.done.has(done.request)) return;
  shelf.done.set(done.request, done);
  shelves.count += 1;
  if (shelves.count > keptMax) loseOne(shelves);
}

/** The oldest of the requester with the most; its shelf stays only where something is on it. */
function loseOne(shelves: Shelves): void {
  let most: readonly [string, Shelf] | null = null;
  for (const one of shelves.of) if (most === null || one[1].done.size > most[1].done.size) most = one;
  const [oldest] = most?.[1].done.values() ?? [];
  if (most === null || oldest === undefined) return;
  const [requester, shelf] = most;
  shelf.done.delete(oldest.request);
  shelves.count -= 1;
  forget(shelf, 1, oldest.at);
  if (shelf.done.size > 0) return;
  shelves.of.delete(requester);
  forget(shelves.others, shelf.forgotten, shelf.forgottenAt);
}

/** For a report: by what the manifest says of undoing it, a hundred named of each kind; `forgotten` counts as more. */
export function doneReport(writes: readonly DoneWrite[], forgotten: number): JsonObject {
  const lists: { [reversibility in DoneWrite['reversibility']]: JsonObject[] } = {
    reversible: [], compensable: [], irreversible: [],
  };
  let more = forgotten;
  for (const write of writes) {
    const list = lists[write.reversibility];
    if (list.length >= namedMax) more += 1;
    else list.push({ ...write });
  }
  return { ...lists, more };
}

/** What an executor does for itself is the undoing of something, and not to be undone again. */
function doneOf({ kind, outcome, actor, message, detail }: EntryDraft, at: number): Done | null {
  if (kind !== 'tool.outcome' || outcome !== 'GO' || message === null) return null;
  const { action, requester } = detail;
  const executor = actor.slice(actor.indexOf(':') + 1);
  if (typeof action !== 'string' || typeof requester !== 'string' || requester === executor) return null;
  return { at, action, requester, executor, request: message };
}
