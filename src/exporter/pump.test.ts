// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from 'vitest';
import type { CursorPlace, Delivery, ExportedEntry, Exporter } from '../recorder/exporter.ts';
import { someEntries } from '../recorder/exporter.suite.ts';
import { ExportPump, type EntrySource, type PumpLimits, type SourcedEntry } from './pump.ts';

const ok: Delivery = { ok: true, rejected: 0 };
const failed = (code: string, retryAfterMs: number | null = null): Delivery =>
  ({ ok: false, code, retryAfterMs });

/** A log, a cursor, a destination and a clock that a test moves by hand. */
class Bench {
  nowMs = 1_800_000_000_000;
  entries = 0;
  log = 'log-of-a-test';
  known = true;
  /** Entry whose line is broken. */
  brokenAt: number | null = null;
  place: CursorPlace | null = null;
  cursorFails = false;
  answer: (entries: readonly ExportedEntry[], signal: AbortSignal) => Delivery | Promise<Delivery> =
    () => ok;
  readonly deliveries: number[][] = [];
  readonly kept: number[] = [];
  readonly waits: number[] = [];
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  pump: ExportPump | null = null;

  start(limits: Partial<PumpLimits> = {}, batchEntriesMax = 10): ExportPump {
    const exporter: Exporter = {
      batchEntriesMax,
      deliver: async (entries, signal) => {
        this.deliveries.push(entries.map(({ sequence }) => sequence));
        const delivery = await this.answer(entries, signal);
        if (delivery.ok) this.kept.push(...entries.map(({ sequence }) => sequence));
        return delivery;
      },
      close: async () => undefined,
    };
    this.pump = new ExportPump({
      exporter,
      source: this.#source(),
      cursor: {
        load: async () => this.place,
        save: async (place) => {
          if (this.cursorFails) throw new Error('no disk');
          this.place = place;
        },
      },
      clock: { nowMs: () => this.nowMs },
      random: { bytes: (count) => new Uint8Array(count).fill(255) },
      timer: (delayMs, run) => {
        const timer = { at: this.nowMs + delayMs, run };
        this.waits.push(delayMs);
        this.#timers.push(timer);
        return () => (this.#timers = this.#timers.filter((other) => other !== timer));
      },
      limits,
    });
    this.pump.start();
    return this.pump;
  }

  /** Lets time pass, and everything that waits for it go on. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await settle();
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.nowMs = next.at;
      this.#timers = this.#timers.filter((other) => other !== next);
      next.run();
      await settle();
    }
    this.nowMs = end;
  }

  #source(): EntrySource {
    const log = this.log;
    const read = async function* (this: Bench, from: number, to: number) {
      for (const exported of someEntries(from, to)) {
        if (exported.sequence === this.brokenAt) throw new Error('no entry');
        yield { exported, recordedAtMs: exported.recordedAtMs } satisfies SourcedEntry;
      }
    };
    return { log, durable: () => (this.known ? this.entries : null), read: read.bind(this) };
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const benches: Bench[] = [];
function bench(): Bench {
  const made = new Bench();
  benches.push(made);
  return made;
}
afterEach(async () => {
  for (const { pump } of benches.splice(0)) await pump?.stop();
});

describe('a pump', () => {
  test('skips nothing while the destination fails again and again', async () => {
    const made = bench();
    made.entries = 35;
    let calls = 0;
    made.answer = () => ((calls += 1) % 3 === 0 ? ok : failed('EXPORT_ENDPOINT_UNREACHABLE'));
    const pump = made.start();
    await made.pass(600_000);
    expect(made.kept).toEqual(upTo(35));
    expect(pump.status()).toMatchObject({ next: 35, behind: 0, lagMs: 0, code: null });
    expect(made.place).toEqual({ log: made.log, next: 35 });
  });

  test('leaves a batch behind only when it is confirmed: a thrown fault confirms nothing', async () => {
    const made = bench();
    made.entries = 5;
    made.answer = () => {
      throw new Error('a broken exporter');
    };
    const pump = made.start();
    await made.pass(1_000);
    expect(made.place).toBe(null);
    expect(pump.status()).toMatchObject({ next: 0, behind: 5, code: 'EXPORT_ENDPOINT_UNREACHABLE' });
    made.answer = () => ok;
    await made.pass(60_000);
    expect(made.kept).toEqual(upTo(5));
  });

  test('gives up a delivery that hangs, says so, and delivers it again', async () => {
    const made = bench();
    made.entries = 3;
    let signalled = false;
    made.answer = (_, signal) => {
      signal.addEventListener('abort', () => (signalled = true));
      return new Promise(() => undefined);
    };
    const pump = made.start({ deliveryMs: 2_000 });
    await made.pass(2_100);
    expect(signalled).toBe(true);
    expect(pump.status().code).toBe('EXPORT_ENDPOINT_LATE');
    made.answer = () => ok;
    await made.pass(60_000);
    expect(made.kept).toEqual(upTo(3));
  });

  test('stops while a delivery hangs, without confirming it', async () => {
    const made = bench();
    made.entries = 3;
    made.answer = () => new Promise(() => undefined);
    const pump = made.start();
    await made.pass(10);
    await pump.stop();
    expect(made.place).toBe(null);
  });

  test('exports nothing that the node has not called durable', async () => {
    const made = bench();
    made.known = false;
    made.entries = 5;
    const pump = made.start();
    await made.pass(5_000);
    expect(made.deliveries).toEqual([]);
    expect(pump.status().code).toBe('EXPORT_NODE_AWAY');
  });

  test('stands still before a line that is no entry, and goes on when it is one again', async () => {
    const made = bench();
    made.entries = 12;
    made.brokenAt = 10;
    const pump = made.start();
    await made.pass(10_000);
    expect(made.kept).toEqual(upTo(10));
    expect(pump.status()).toMatchObject({ next: 10, code: 'EXPORT_LOG_BROKEN' });
    made.brokenAt = null;
    await made.pass(120_000);
    expect(made.kept).toEqual(upTo(12));
  });

  test('stands still when the log was set back behind what was exported', async () => {
    const made = bench();
    made.place = { log: made.log, next: 9 };
    made.entries = 4;
    const pump = made.start();
    await made.pass(10_000);
    expect(made.deliveries).toEqual([]);
    expect(pump.status().code).toBe('EXPORT_CURSOR_AHEAD');
  });

  test('starts over on another log, whatever the cursor says', async () => {
    const made = bench();
    made.place = { log: 'another-log', next: 9 };
    made.entries = 12;
    made.start();
    await made.pass(1_000);
    expect(made.kept).toEqual(upTo(12));
  });

  test('goes on when its place cannot be kept, and says so', async () => {
    const made = bench();
    made.cursorFails = true;
    made.entries = 12;
    const pump = made.start();
    await made.pass(1_000);
    expect(made.kept).toEqual(upTo(12));
    expect(pump.status().code).toBe('EXPORT_CURSOR_UNWRITABLE');
  });

  test('halves a batch that is too large, down to one, and grows again', async () => {
    const made = bench();
    made.entries = 40;
    made.answer = (entries) => (entries.length > 3 ? failed('EXPORT_BATCH_TOO_LARGE') : ok);
    made.start({}, 16);
    await made.pass(60_000);
    expect(made.kept).toEqual(upTo(40));
    made.answer = () => ok;
    made.entries = 100;
    await made.pass(5_000);
    expect(Math.max(...made.deliveries.map(({ length }) => length))).toBe(16);
  });

  test('waits as long as it was asked to, within a bound', async () => {
    const made = bench();
    made.entries = 1;
    made.answer = () => failed('EXPORT_ENDPOINT_BUSY', 7_000);
    made.start();
    await made.pass(100);
    expect(made.waits).toContain(7_000);
    made.answer = () => failed('EXPORT_ENDPOINT_BUSY', 86_400_000);
    await made.pass(10_000);
    expect(Math.max(...made.waits)).toBe(60_000);
  });

  test('backs off twice as long each time, up to a bound, and forgets it after a success', async () => {
    const made = bench();
    made.entries = 1;
    made.answer = () => failed('EXPORT_ENDPOINT_UNREACHABLE');
    made.start({ deliveryMs: 5, pollMs: 7 });
    await made.pass(300_000);
    const waits = made.waits.filter((ms) => ms > 7);
    expect(waits.slice(0, 4)).toEqual([250, 500, 1000, 2000]);
    expect(Math.max(...waits)).toBe(30_000);
  });

  test('keeps one batch and no more in hand while the destination is slow', async () => {
    const made = bench();
    made.entries = 10_000;
    let inHand = 0;
    let most = 0;
    made.answer = async () => {
      most = Math.max(most, (inHand += 1));
      await settle();
      inHand -= 1;
      return ok;
    };
    made.start({}, 1000);
    for (let turn = 0; turn < 40; turn += 1) await made.pass(100);
    expect(most).toBe(1);
    expect(made.kept).toEqual(upTo(10_000));
  });

  test('shows how old the oldest entry is that waits', async () => {
    const made = bench();
    made.entries = 2;
    made.answer = () => failed('EXPORT_ENDPOINT_UNREACHABLE');
    const pump = made.start();
    await made.pass(9_000);
    expect(pump.status().lagMs).toBeGreaterThan(8_000);
    expect(pump.status().behind).toBe(2);
  });

  test('does not look up to date between two batches of a backlog', async () => {
    const made = bench();
    made.entries = 100;
    const lags: number[] = [];
    made.nowMs += 60_000;
    made.answer = async () => {
      await settle();
      return ok;
    };
    const pump = made.start();
    for (let turn = 0; turn < 60 && pump.status().behind > 0; turn += 1) {
      lags.push(pump.status().lagMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(lags.length).toBeGreaterThan(20);
    expect(Math.min(...lags.slice(5))).toBeGreaterThan(50_000);
    await made.pass(10_000);
  });
});
