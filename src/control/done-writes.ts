// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';

type Done = {
  readonly at: number;
  readonly action: string;
  readonly requester: string;
  readonly executor: string;
  readonly request: string;
};

const keptMax = 5_000;
const keptMs = 24 * 3_600_000;
const namedMax = 100;

/**
 * What was done of late, so that a stop can say what of it can be undone. Of the last day and the last 5,000
 * actions, in memory: after a restart of the node the record alone knows of what was done before.
 */
export class DoneWrites {
  readonly #done: Done[] = [];

  take({ kind, outcome, actor, message, detail }: EntryDraft, at: number): void {
    if (kind !== 'tool.outcome' || outcome !== 'GO' || message === null) return;
    const { action, requester } = detail;
    if (typeof action !== 'string' || typeof requester !== 'string') return;
    this.#done.push({ at, action, requester, executor: actor.slice(actor.indexOf(':') + 1), request: message });
    if (this.#done.length > keptMax) this.#done.splice(0, this.#done.length - keptMax);
  }

  /** Of these agents, whether they asked for it or did it, by what the manifest says of undoing it; newest first. */
  report(
    agents: readonly string[],
    actions: ReadonlyMap<string, Pick<ActionManifest, 'reversibility' | 'write'>>,
    nowMs: number,
  ): JsonObject {
    const lists: { [reversibility: string]: JsonObject[] } = { reversible: [], compensable: [], irreversible: [] };
    let more = 0;
    for (const one of this.#done.toReversed()) {
      const manifest = actions.get(one.action);
      const concerns = agents.includes(one.requester) || agents.includes(one.executor);
      if (!concerns || one.at < nowMs - keptMs || manifest?.write === false) continue;
      // What no manifest describes any more is not called reversible.
      const list = lists[manifest?.reversibility ?? 'irreversible'] ?? [];
      if (list.length >= namedMax) more += 1;
      else list.push({ ...one });
    }
    return { done: { ...lists, more } };
  }
}
