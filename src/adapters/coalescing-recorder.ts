// SPDX-License-Identifier: Apache-2.0
import { RecorderError } from '../recorder/entry.ts';
import type { EntryDraft, EntryReceipt, Recorder } from '../recorder/entry.ts';

type Waiting = {
  readonly entries: readonly EntryDraft[];
  readonly resolve: (receipts: readonly EntryReceipt[]) => void;
  readonly reject: (failure: unknown) => void;
};

const gatherMs = 10;
const gatherEntriesMax = 64;
const retryMs = 500;
/** Entries that wait for a recorder that is unavailable; what comes on top is refused. */
const retryEntriesMax = 20_000;

/**
 * Gathers entries that nobody waits on into one call of the recorder behind it, so that a quiet
 * mesh does not flush its disk once per entry. While the recorder is unavailable they wait for it;
 * what it refuses for good rejects. A privileged call passes through at once.
 */
export class CoalescingRecorder implements Recorder {
  readonly #recorder: Recorder;
  #waiting: Waiting[] = [];
  #gathered = 0;
  #timer: NodeJS.Timeout | null = null;
  #retrying = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  record(
    entries: readonly EntryDraft[],
    options: { readonly privileged?: boolean } = {},
  ): Promise<readonly EntryReceipt[]> {
    if (options.privileged === true) return this.#recorder.record(entries, options);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entries, resolve, reject });
      this.#gathered += entries.length;
      if (this.#gathered >= gatherEntriesMax) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), gatherMs);
    });
  }

  /** Hands over what was gathered, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#gathered = 0;
    if (waiting.length === 0) return;
    this.#recorder.record(waiting.flatMap((one) => one.entries)).then(
      (receipts) => settle(waiting, receipts),
      () => this.#recordEach(waiting),
    );
  }

  /** One bad entry must not take the others with it. */
  #recordEach(waiting: readonly Waiting[]): void {
    for (const one of waiting) {
      this.#recorder.record(one.entries).then(one.resolve, (failure: unknown) => {
        const { length } = one.entries;
        if (isForGood(failure) || this.#retrying + length > retryEntriesMax) {
          one.reject(failure);
          return;
        }
        this.#retrying += length;
        setTimeout(() => {
          this.#retrying -= length;
          this.#recordEach([one]);
        }, retryMs).unref();
      });
    }
  }
}

/** The entry itself is at fault, or the recorder is gone: trying again cannot help. */
function isForGood(failure: unknown): boolean {
  if (!(failure instanceof RecorderError)) return true;
  return failure.code === 'RECORDER_ENTRY_INVALID' || failure.code === 'RECORDER_CLOSED';
}

function settle(waiting: readonly Waiting[], receipts: readonly EntryReceipt[]): void {
  let from = 0;
  for (const { entries, resolve } of waiting) {
    resolve(receipts.slice(from, from + entries.length));
    from += entries.length;
  }
}
