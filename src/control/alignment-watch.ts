// SPDX-License-Identifier: Apache-2.0
import { AlignmentScores } from '../recorder/alignment.ts';
import type { EntryDraft, EntryReceipt, Recorder } from '../recorder/entry.ts';

/** Scores of agents, 0 to 100. `save` survives `kill -9`; a score that was not saved counts as 100. */
export interface AlignmentStore {
  load(): ReadonlyMap<string, number>;
  save(agent: string, score: number): Promise<void>;
}

export type AlignmentWatchOptions = {
  readonly inner: Recorder;
  readonly store: AlignmentStore;
  /** Below it an agent is misaligned; 0 is never. Asked for each time: a reload may change it. */
  readonly least: () => number;
  /** An agent fell below; told once until it is above again. */
  readonly fell: (entry: EntryDraft, agent: string) => void;
  readonly report: (failure: unknown) => void;
};

/**
 * Keeps the intent alignment score of every agent while entries are recorded (OI-2.6), and hands an
 * agent that falls too low to PACE. A sidecar's word counts for its own agent only, so that one that is
 * taken over moves nobody but itself; what executors and judges say of others is for `maso intent`.
 */
export class AlignmentWatch implements Recorder {
  readonly #options: AlignmentWatchOptions;
  readonly #scores = new AlignmentScores();
  readonly #low = new Set<string>();

  constructor(options: AlignmentWatchOptions) {
    this.#options = options;
    for (const [agent, score] of options.store.load()) {
      this.#scores.restore(agent, score);
      if (score < options.least()) this.#low.add(agent);
    }
  }

  record(
    entries: readonly EntryDraft[],
    options?: { readonly privileged?: boolean },
  ): Promise<readonly EntryReceipt[]> {
    const fallen = entries.flatMap((entry) => this.#look(entry) ?? []);
    return this.#options.inner.record(fallen.length === 0 ? entries : [...entries, ...fallen], options);
  }

  #look(entry: EntryDraft): EntryDraft | null {
    if (entry.kind !== 'message.outbound' && entry.kind !== 'message.refused') return null;
    const { least, fell, store, report } = this.#options;
    const changed = this.#scores.add(entry);
    if (changed === null) return null;
    const { agent, score, good } = changed;
    // What goes well changes nothing that has to be remembered at once.
    if (!good) store.save(agent, score).catch(report);
    if (!(score < least())) {
      this.#low.delete(agent);
      return null;
    }
    if (this.#low.has(agent)) return null;
    this.#low.add(agent);
    const fallen: EntryDraft = {
      ...entry,
      kind: 'indicator.raised',
      id: `${entry.id}.misaligned`,
      actor: 'node',
      causedBy: [entry.id],
      outcome: null,
      code: 'CONTROL_INTENT_MISALIGNED',
      verdicts: [],
      tookUs: null,
      detail: { agent, indicator: 'INTENT', score: Math.round(score) },
    };
    fell(fallen, agent);
    return fallen;
  }
}
