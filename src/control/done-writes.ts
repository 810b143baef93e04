// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest } from '../mesh/mesh.ts';
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

const keptMax = 5_000;
export const doneKeptMs = 24 * 3_600_000;
const namedMax = 100;

/**
 * What was done in the last day, so that a stop can say what of it can be undone, and have it undone: the last
 * 5,000 actions. What an earlier run of the node saw is read back from the log when it is asked for first.
 */
export class DoneWrites {
  readonly #done: Done[] = [];
  readonly #earlier: () => AsyncIterable<EarlierEntry>;
  #recalled: Promise<void> | null = null;

  constructor(earlier: () => AsyncIterable<EarlierEntry>) {
    this.#earlier = earlier;
  }

  take(entry: EntryDraft, at: number): void {
    const done = doneOf(entry, at);
    if (done === null) return;
    this.#done.push(done);
    if (this.#done.length > keptMax) this.#done.splice(0, this.#done.length - keptMax);
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
    const concerned = new Set(agents);
    return this.#done.toReversed().flatMap((one) => {
      const manifest = actions.get(one.action);
      const concerns = concerned.has(one.requester) || concerned.has(one.executor);
      if (!concerns || one.at < nowMs - doneKeptMs || manifest?.write === false) return [];
      // What no manifest describes any more is not called reversible.
      const { reversibility = 'irreversible', undo } = manifest ?? {};
      return [{ ...one, reversibility, undo: undo?.action ?? null }];
    });
  }

  async #recall(): Promise<void> {
    const before: Done[] = [];
    for await (const entry of this.#earlier()) {
      const done = doneOf(entry, entry.recordedAt);
      if (done !== null) before.push(done);
      if (before.length > 2 * keptMax) before.splice(0, keptMax);
    }
    this.#done.unshift(...before.slice(-Math.max(0, keptMax - this.#done.length)));
  }
}

/** For a report: by what the manifest says of undoing it, a hundred named of each kind. */
export function doneReport(writes: readonly DoneWrite[]): JsonObject {
  const lists: { [reversibility in DoneWrite['reversibility']]: JsonObject[] } = {
    reversible: [], compensable: [], irreversible: [],
  };
  let more = 0;
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
