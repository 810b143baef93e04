// SPDX-License-Identifier: Apache-2.0
import type { ChainTip } from './chain.ts';
import { signHead } from './head.ts';
import type { LogTail } from './open-tail.ts';
import type { RecorderOptions, RecorderStatus } from './recorder-options.ts';

export type HeadStatus = Pick<RecorderStatus, 'headCode' | 'headSize' | 'headAt'>;

/**
 * Signs the end of the log and has it written outside, at most once per interval, never more than
 * one at a time, and never in the way of an entry. It only ever signs what is durable.
 */
export class HeadWriter {
  readonly #options: RecorderOptions;
  readonly #everyMs: number;
  readonly #changed: () => void;
  #tip: ChainTip;
  #status: HeadStatus;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | null = null;
  #callOff: (() => void) | null = null;
  #closed = false;

  constructor(options: RecorderOptions, everyMs: number, tail: LogTail, changed: () => void) {
    this.#options = options;
    this.#everyMs = everyMs;
    this.#tip = tail.tip;
    const { size = 0, at = 0 } = tail.head ?? {};
    this.#status = { headCode: null, headSize: size, headAt: at };
    this.#changed = changed;
  }

  get status(): HeadStatus {
    return this.#status;
  }

  /** Tells of a new end of the log. Returns at once. */
  advance(tip: ChainTip): void {
    this.#tip = tip;
    if (this.#writing !== null || this.#callOff !== null || this.#closed) return;
    const waitMs = this.#attemptedAt + this.#everyMs - this.#options.clock.nowMs();
    if (!(waitMs > 0)) {
      void this.write();
      return;
    }
    this.#callOff = this.#options.timer(Math.min(waitMs, this.#everyMs), () => {
      this.#callOff = null;
      void this.write();
    });
  }

  /** Writes the last head. Never rejects: the entries are durable without it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff?.();
    this.#callOff = null;
    await this.#writing;
    await this.#writeOnce();
  }

  async write(): Promise<void> {
    this.#writing ??= this.#writeOnce().finally(() => {
      this.#writing = null;
      // What was recorded meanwhile, or could not be written, gets its head after the interval.
      if (this.#tip.size !== this.#status.headSize) this.advance(this.#tip);
    });
    await this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const { log, clock, signer, writeHead } = this.#options;
    const { size, previous } = this.#tip;
    const nowMs = clock.nowMs();
    this.#attemptedAt = nowMs;
    const before = this.#status.headCode;
    try {
      // A later head never bears an earlier time, whatever the clock says.
      const at = Math.max(Math.floor(nowMs), this.#status.headAt);
      await writeHead(signHead({ log: log.name, size, hash: previous, at }, signer));
      this.#status = { headCode: null, headSize: size, headAt: at };
    } catch {
      // The status says so and the next interval tries again; entries stay durable meanwhile.
      this.#status = { ...this.#status, headCode: 'RECORDER_HEAD_NOT_WRITTEN' };
    }
    if (this.#status.headCode !== before) this.#changed();
  }
}
