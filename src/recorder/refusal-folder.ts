// SPDX-License-Identifier: Apache-2.0
import { blankEntry } from './blank-entry.ts';
import type { EntryDraft, EntryReceipt } from './entry.ts';
import { NumbersLeftOut } from './entry-number.ts';
import type { RecorderLimits, RecorderOptions } from './recorder-options.ts';
import { mintUlid } from '../message/identifiers.ts';
import {
  askQuota,
  emptyQuota,
  foldRefusal,
  isLaneClosed,
  mergeCounts,
  quotaLane,
  takeDigest,
} from './refusal-quota.ts';
import type { RefusalDigest, RefusalQuotaLimits } from './refusal-quota.ts';

/** One digest in the making, which everybody whose refusal it counts waits for. */
type Waiting = {
  readonly done: Promise<EntryReceipt>;
  readonly resolve: (receipt: EntryReceipt) => void;
  readonly reject: (failure: unknown) => void;
};

/** The members an entry gains in the log: sequence, time and link. */
const linkBytes = 160;

/**
 * Keeps a flood of refusals from filling the disk: what goes over the quota is counted, and its
 * writers wait until the digest that counts it is durable, which also slows the flood down.
 */
export class RefusalFolder {
  readonly #options: RecorderOptions;
  readonly #everyMs: number;
  readonly #quota: RefusalQuotaLimits;
  readonly #write: (draft: EntryDraft) => Promise<EntryReceipt>;
  #state = emptyQuota;
  readonly #leftOut = new NumbersLeftOut();
  #waiting: Waiting | null = null;
  #callOff: (() => void) | null = null;

  constructor(
    options: RecorderOptions,
    limits: RecorderLimits,
    write: (draft: EntryDraft) => Promise<EntryReceipt>,
  ) {
    this.#options = options;
    this.#everyMs = limits.digestEveryMs;
    this.#quota = { bytesMax: limits.refusalBytesMax, windowMs: limits.refusalWindowMs };
    this.#write = write;
  }

  /** Null when the draft is to be written; otherwise the receipt of the digest that counts it. */
  fold(draft: EntryDraft): Promise<EntryReceipt> | null {
    const lane = quotaLane(draft.kind);
    if (lane === null) return null;
    const nowMs = this.#options.clock.nowMs();
    if (!isLaneClosed(this.#state, this.#quota, lane, nowMs)) {
      const bytes = sizeOf(draft) + linkBytes;
      const asked = askQuota(this.#state, this.#quota, lane, bytes, nowMs);
      this.#state = asked.state;
      if (asked.write) return null;
    }
    if (!this.#leftOut.add(draft)) {
      void this.flush();
      this.#leftOut.add(draft);
    }
    this.#state = foldRefusal(this.#state, draft, nowMs);
    this.#arm();
    this.#waiting ??= startWaiting();
    return this.#waiting.done;
  }

  /** Writes what is counted now. Never rejects: the counts are kept for the next digest. */
  async flush(): Promise<void> {
    this.#callOff?.();
    this.#callOff = null;
    const { state, digest } = takeDigest(this.#state);
    if (digest === null) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#state = state;
    const leftOut = this.#leftOut.take();
    try {
      const receipt = await this.#write(this.#draft(digest, leftOut));
      waiting?.resolve(receipt);
    } catch (failure) {
      this.#state = mergeCounts(this.#state, digest);
      this.#leftOut.putBack(leftOut);
      waiting?.reject(failure);
      this.#arm();
    }
  }

  /** Forgets the timer; what is still counted is lost only if `flush` could not write it. */
  close(): void {
    this.#callOff?.();
    this.#callOff = null;
  }

  #arm(): void {
    this.#callOff ??= this.#options.timer(this.#everyMs, () => {
      this.#callOff = null;
      void this.flush();
    });
  }

  #draft(digest: RefusalDigest, leftOut: NumbersLeftOut): EntryDraft {
    const { clock, random } = this.#options;
    const until = clock.nowMs();
    let total = 0;
    for (const count of digest.counts.values()) total += count;
    const writers = leftOut.isEmpty ? {} : { writers: leftOut.toJson() };
    return blankEntry({
      kind: 'refusals.counted',
      id: mintUlid(clock, random),
      at: until,
      actor: 'node',
      outcome: 'NO-GO',
      code: 'RECORDER_REFUSALS_FOLDED',
      detail: {
        counts: Object.fromEntries(digest.counts), since: digest.since, total, until, ...writers,
      },
    });
  }
}

function sizeOf(draft: EntryDraft): number {
  try {
    return JSON.stringify(draft).length;
  } catch {
    // Not JSON: it is let through to where the batch refuses it as invalid.
    return 0;
  }
}

function startWaiting(): Waiting {
  const { promise, resolve, reject } = Promise.withResolvers<EntryReceipt>();
  // Whoever waits sees the rejection; one that nobody waits for must not end the process.
  promise.catch(() => undefined);
  return { done: promise, resolve, reject };
}
