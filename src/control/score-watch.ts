// SPDX-License-Identifier: Apache-2.0
import type { EntryWatch, Raised } from '../anomaly/entry-watch.ts';
import type { Clock } from '../message/clock.ts';
import type { EntryDraft, EntryReceipt, Recorder } from '../recorder/entry.ts';
import type { DoneWrites } from './done-writes.ts';

/**
 * Hands every entry that is recorded to the watch over agents' behaviour, in passing: nobody waits for it,
 * and nothing that it does keeps an entry from being recorded.
 */
export class ScoreWatch implements Recorder {
  readonly #inner: Recorder;
  readonly #watch: EntryWatch;
  readonly #clock: Clock;
  readonly #raised: (raised: Raised) => void;
  readonly #done: DoneWrites;

  constructor(
    inner: Recorder,
    watch: EntryWatch,
    clock: Clock,
    raised: (raised: Raised) => void,
    done: DoneWrites,
  ) {
    this.#done = done;
    this.#inner = inner;
    this.#watch = watch;
    this.#clock = clock;
    this.#raised = raised;
  }

  record(
    entries: readonly EntryDraft[],
    options?: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]> {
    const recorded = this.#inner.record(entries, options);
    const at = this.#clock.nowMs();
    for (const entry of entries) {
      this.#done.take(entry, at);
      for (const raised of this.#watch.take(entry, at)) this.#raised(raised);
    }
    return recorded;
  }
}

/** What was found, on record; its id is the incident that PACE names where it moves for it. */
export function raisedEntry({ code, agent, at, score, task, reasons }: Raised, id: string): EntryDraft {
  return {
    kind: 'anomaly.raised',
    id,
    at,
    actor: 'node',
    task,
    message: null,
    causedBy: [],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { agent, score, reasons: reasons.map((reason) => ({ ...reason })) },
  };
}
