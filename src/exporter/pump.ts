// SPDX-License-Identifier: Apache-2.0
import type { Clock, Random } from '../message/clock.ts';
import type { Delivery, ExportCursor, ExportedEntry, Exporter } from '../recorder/exporter.ts';
import type { Timer } from '../recorder/recorder-options.ts';
import type { ExporterCode } from './codes.ts';

/**
 * The log as a pump reads it. `durable` is how many entries the node has said to be durable, null
 * before it has said so: what lies behind may still be cut off and written anew. `read` yields
 * entries from `from` up to, not including, `to`, and rejects when a line is no entry.
 */
export interface EntrySource {
  readonly log: string;
  durable(): number | null;
  read(from: number, to: number): AsyncIterable<SourcedEntry | PrunedEntry>;
}

/** Nothing is left of an entry to deliver: its time of retention was over first. */
export type PrunedEntry = { readonly pruned: number };

/** An entry as it may leave, with the time of its record for the lag, which no mask makes coarse. */
export type SourcedEntry = { readonly exported: ExportedEntry; readonly recordedAtMs: number };

export type PumpLimits = {
  /** How long a delivery may take. */
  readonly deliveryMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** The longest wait that a destination may ask for. */
  readonly retryAfterMaxMs: number;
  /** How often an idle pump looks for entries. */
  readonly pollMs: number;
};

export const defaultPumpLimits: PumpLimits = {
  deliveryMs: 10_000,
  backoffMinMs: 250,
  backoffMaxMs: 30_000,
  retryAfterMaxMs: 60_000,
  pollMs: 250,
};

export type PumpOptions = {
  readonly exporter: Exporter;
  readonly source: EntrySource;
  readonly cursor: ExportCursor;
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: Timer;
  readonly limits?: Partial<PumpLimits>;
};

export type PumpStatus = {
  /** First entry that is not confirmed. */
  readonly next: number;
  /** Entries that are durable and not confirmed. */
  readonly behind: number;
  /** Age of the oldest of them, milliseconds; 0 when there is none. */
  readonly lagMs: number;
  readonly delivered: number;
  /** Entries that a destination confirmed and said it will not keep. */
  readonly rejected: number;
  readonly failures: number;
  /** What holds it back now; null when nothing does. */
  readonly code: string | null;
};

/**
 * Moves the entries of the log to one exporter: in order, each at least once, one batch at a time.
 * It only reads, in a process of its own, so a slow or dead destination costs the mesh nothing: the
 * log waits, the lag grows and is shown. A batch is left behind only when the destination confirmed
 * it; then the place is made durable. Nothing is ever skipped.
 */
export class ExportPump {
  readonly #options: PumpOptions;
  readonly #limits: PumpLimits;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #next = 0;
  #batchMax: number;
  /** Since when something is waiting: `recordedAtMs` of the oldest entry, once it is known. */
  #oldestMs: number | null = null;
  #delivered = 0;
  #rejected = 0;
  #failures = 0;
  #failuresInARow = 0;
  #code: string | null = null;
  #cursorCode: ExporterCode | null = null;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#limits = { ...defaultPumpLimits, ...options.limits };
    this.#batchMax = options.exporter.batchEntriesMax;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  status(): PumpStatus {
    const durable = this.#options.source.durable() ?? this.#next;
    const behind = Math.max(0, durable - this.#next);
    const nowMs = this.#options.clock.nowMs();
    if (behind > 0) this.#oldestMs ??= nowMs;
    return {
      next: this.#next,
      behind,
      lagMs: behind === 0 ? 0 : Math.max(0, nowMs - (this.#oldestMs ?? nowMs)),
      delivered: this.#delivered,
      rejected: this.#rejected,
      failures: this.#failures,
      code: this.#code ?? this.#cursorCode,
    };
  }

  /** Lets go of the delivery under way and closes the exporter. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#running;
    await this.#options.exporter.close();
  }

  async #run(): Promise<void> {
    const { source, cursor } = this.#options;
    const place = await cursor.load().catch(() => null);
    // A cursor of another log says nothing about this one: all of it is delivered.
    this.#next = place !== null && place.log === source.log ? place.next : 0;
    while (!this.#stopping.signal.aborted) {
      const durable = source.durable();
      if (durable === null || durable < this.#next) {
        this.#code = durable === null ? 'EXPORT_NODE_AWAY' : 'EXPORT_CURSOR_AHEAD';
        await this.#pause(this.#limits.pollMs);
      } else if (durable === this.#next) {
        this.#code = null;
        this.#oldestMs = null;
        await this.#pause(this.#limits.pollMs);
      } else {
        await this.#drain(durable);
      }
    }
  }

  /** Delivers what is durable now over one reading of the log, until it is done or one fails. */
  async #drain(durable: number): Promise<void> {
    let batch: SourcedEntry[] = [];
    try {
      for await (const sourced of this.#options.source.read(this.#next, durable)) {
        if ('pruned' in sourced) {
          if (batch.length > 0 && !(await this.#deliver(batch))) return;
          batch = [];
          this.#next = sourced.pruned + 1;
          continue;
        }
        if (sourced.exported.sequence !== this.#next + batch.length) return await this.#broken();
        batch.push(sourced);
        if (batch.length < this.#batchMax) continue;
        if (!(await this.#deliver(batch))) return;
        batch = [];
      }
    } catch {
      // A line that is no entry, or a disk that does not answer: nothing is skipped over it.
      return await this.#broken();
    }
    if (this.#next + batch.length < durable) return await this.#broken();
    if (batch.length > 0) await this.#deliver(batch);
  }

  async #broken(): Promise<void> {
    this.#code = 'EXPORT_LOG_BROKEN';
    this.#failures += 1;
    await this.#pause(this.#backoffMs());
  }

  /** True when the batch is confirmed; otherwise it has waited, and the caller starts over. */
  async #deliver(batch: readonly SourcedEntry[]): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false;
    this.#oldestMs = batch[0]?.recordedAtMs ?? null;
    const delivery = await this.#attempt(batch.map(({ exported }) => exported));
    if (delivery.ok) {
      this.#next += batch.length;
      this.#delivered += batch.length;
      this.#rejected += delivery.rejected;
      this.#failuresInARow = 0;
      this.#code = null;
      // What waits now was recorded no earlier than the last one that does not.
      this.#oldestMs = batch.at(-1)?.recordedAtMs ?? null;
      this.#batchMax = Math.min(this.#options.exporter.batchEntriesMax, this.#batchMax * 2);
      await this.#save();
      return true;
    }
    this.#failures += 1;
    if (this.#stopping.signal.aborted) return false;
    this.#code = delivery.code;
    const asked = Math.min(delivery.retryAfterMs ?? 0, this.#limits.retryAfterMaxMs);
    if (delivery.code === 'EXPORT_BATCH_TOO_LARGE' && batch.length > 1) {
      this.#batchMax = Math.max(1, Math.floor(batch.length / 2));
      await this.#pause(asked);
    } else {
      await this.#pause(Math.max(asked, this.#backoffMs()));
    }
    return false;
  }

  async #attempt(batch: readonly ExportedEntry[]): Promise<Delivery> {
    const giveUp = new AbortController();
    const signal = AbortSignal.any([giveUp.signal, this.#stopping.signal]);
    const late = Promise.withResolvers<Delivery>();
    signal.addEventListener('abort', () => {
      const code = this.#stopping.signal.aborted ? 'EXPORT_CLOSED' : 'EXPORT_ENDPOINT_LATE';
      late.resolve({ ok: false, code, retryAfterMs: null });
    });
    const callOff = this.#options.timer(this.#limits.deliveryMs, () => giveUp.abort());
    try {
      return await Promise.race([this.#options.exporter.deliver(batch, signal), late.promise]);
    } catch {
      // An exporter that throws has not confirmed anything.
      return { ok: false, code: 'EXPORT_ENDPOINT_UNREACHABLE', retryAfterMs: null };
    } finally {
      callOff();
    }
  }

  async #save(): Promise<void> {
    const { cursor, source } = this.#options;
    try {
      await cursor.save({ log: source.log, next: this.#next });
      this.#cursorCode = null;
    } catch {
      // It goes on: a restart would deliver again from the last place, which is allowed.
      this.#cursorCode = 'EXPORT_CURSOR_UNWRITABLE';
    }
  }

  /** Doubles with each failure in a row, between half and all of it, so that many do not meet. */
  #backoffMs(): number {
    const { backoffMinMs, backoffMaxMs } = this.#limits;
    const fullMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failuresInARow, 20));
    this.#failuresInARow += 1;
    const [byte = 0] = this.#options.random.bytes(1);
    return Math.round(fullMs * (0.5 + byte / 510));
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = this.#options.timer(delayMs, resolve);
    this.#wake = () => {
      callOff();
      resolve();
    };
    return promise.finally(() => (this.#wake = null));
  }
}
