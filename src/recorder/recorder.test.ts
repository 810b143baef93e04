// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import {
  collect,
  draft,
  fakeClock,
  fakeRandom,
  fakeTimer,
  settle,
  startMs,
  testKey,
  ulid,
} from '../../test/faults/recorder-fixture.ts';
import type { FakeClock, FakeTimer } from '../../test/faults/recorder-fixture.ts';
import { RecorderError } from './entry.ts';
import type { RecordedEntry, RecorderErrorCode } from './entry.ts';
import { openHead, signHead } from './head.ts';
import type { AppendOptions } from './record-log.ts';
import { MemoryRecordLog } from './record-log-memory.ts';
import { openRecorder } from './recorder.ts';
import type { FlightRecorder } from './recorder.ts';
import type { RecorderLimits, RecorderStatus } from './recorder-options.ts';
import { verifyLog } from './verify.ts';

/** A log whose disk can fail, fill up, hang, and lose its reserve. */
class FaultyLog extends MemoryRecordLog {
  fault: RecorderErrorCode | null = null;
  reserve = true;
  torn = 0;
  appends = 0;
  gate: Promise<void> | null = null;

  override tornBytes(): number {
    return this.torn;
  }

  override async append(lines: readonly string[], options: AppendOptions): Promise<void> {
    this.appends += 1;
    await this.gate;
    const { fault } = this;
    const usesReserve = fault === 'RECORDER_FULL' && options.privileged && this.reserve;
    if (fault !== null && !usesReserve) throw new RecorderError(fault, 'The disk of the test failed.');
    await super.append(lines, options);
  }
}

const key = testKey();
const privileged = { privileged: true };
let log: FaultyLog;
let clock: FakeClock;
let timer: FakeTimer;
let heads: string[];
let headFault: boolean;

beforeEach(() => {
  log = new FaultyLog('log-of-the-recorder-test');
  clock = fakeClock();
  timer = fakeTimer();
  heads = [];
  headFault = false;
});

function open(
  limits: Partial<RecorderLimits> = {},
  lastHead: string | null = heads.at(-1) ?? null,
): Promise<FlightRecorder> {
  return openRecorder({
    log,
    clock,
    random: fakeRandom(),
    timer: timer.timer,
    signer: key.signer,
    lastHead,
    limits,
    writeHead: async (head) => {
      if (headFault) throw new Error('The head disk of the test failed.');
      heads.push(head);
    },
  });
}

async function entries(recorder: FlightRecorder): Promise<RecordedEntry[]> {
  return collect(recorder.read(0, Number.POSITIVE_INFINITY));
}

async function verified(): Promise<boolean> {
  const { name, lines } = log;
  const report = await verifyLog({ name, lines, heads, keys: key.keys });
  return report.ok && report.findingsTotal === 0;
}

describe('the recorder refuses', () => {
  it('an entry of another shape, too large, or without a canonical form, and nothing with it', async () => {
    const recorder = await open({ entryBytesMax: 2000 });
    const bad = [
      { ...draft(2), extra: 1 },
      draft(2, { detail: { text: 'x'.repeat(2000) } }),
      draft(2, { detail: { text: '\uD800' } }),
      draft(2, { at: Number.NaN }),
    ];
    for (const invalid of bad) {
      const call = recorder.record([draft(1), invalid, draft(3)]);
      const neighbour = recorder.record([draft(10 + bad.indexOf(invalid))]);
      await expect(call).rejects.toMatchObject({ code: 'RECORDER_ENTRY_INVALID' });
      await neighbour;
    }
    expect((await entries(recorder)).map(({ id }) => id)).toEqual([10, 11, 12, 13].map(ulid));
    expect(recorder.status().state).toBe('available');
    expect(await verified()).toBe(true);
  });

  it('a call with more entries than a batch holds', async () => {
    const recorder = await open({ batchEntriesMax: 2 });
    const call = recorder.record([draft(1), draft(2), draft(3)]);
    await expect(call).rejects.toMatchObject({ code: 'RECORDER_ENTRY_INVALID' });
  });

  it('entries when too many wait, and keeps room for privileged ones', async () => {
    const recorder = await open({ waitingEntriesMax: 4 });
    let release = () => undefined as void;
    log.gate = new Promise((done) => (release = done));
    const waiting = [1, 2, 3].map((n) => recorder.record([draft(n)]));
    await expect(recorder.record([draft(4)])).rejects.toMatchObject({ code: 'RECORDER_OVERLOADED' });
    const last = recorder.record([draft(5)], privileged);
    await expect(recorder.record([draft(6)], privileged)).rejects.toMatchObject({
      code: 'RECORDER_OVERLOADED',
    });
    release();
    await Promise.all([...waiting, last]);
    await recorder.record([draft(7)]);
    expect(recorder.size()).toBe(5);
  });

  it('everything once closed', async () => {
    const recorder = await open();
    await recorder.close();
    await expect(recorder.record([draft(1)])).rejects.toMatchObject({ code: 'RECORDER_CLOSED' });
    await recorder.close();
  });

  it('limits that are not within their bounds', async () => {
    for (const limits of [{ windowMs: 3 }, { batchEntriesMax: 0 }, { headEveryMs: Number.NaN }]) {
      await expect(open(limits)).rejects.toMatchObject({ code: 'RECORDER_OPTIONS_INVALID' });
    }
  });
});

describe('the recorder refuses to open', () => {
  const filled = async (): Promise<void> => {
    const recorder = await open();
    await recorder.record([1, 2, 3, 4].map((n) => draft(n)));
    await recorder.close();
  };

  it('a log that is shorter than its last head', async () => {
    await filled();
    log.lines.pop();
    await expect(open()).rejects.toMatchObject({ code: 'RECORDER_TRUNCATED' });
  });

  it('a log that was rewritten since its last head, within and before the lines it reads', async () => {
    await filled();
    const last = heads.at(-1) ?? '';
    log = new FaultyLog(log.name);
    const other = await open({}, null);
    await other.record([5, 6, 7, 8, 9, 10].map((n) => draft(n)));
    await expect(open({}, last)).rejects.toMatchObject({ code: 'RECORDER_FORKED' });
    await expect(open({ recentIdsMax: 1 }, last)).rejects.toMatchObject({ code: 'RECORDER_FORKED' });
  });

  it('a log with any line at its end changed', async () => {
    await filled();
    for (let at = 0; at < log.lines.length; at += 1) {
      const whole = log.lines[at] ?? new Uint8Array();
      log.lines[at] = Buffer.from(Buffer.from(whole).toString().replace('payments', 'paymentz'));
      const code = at === 3 ? 'RECORDER_FORKED' : 'RECORDER_CHAIN_BROKEN';
      await expect(open()).rejects.toMatchObject({ code });
      log.lines[at] = whole;
    }
    await open();
  });

  it('with a head that is forged, of another key, or of another log', async () => {
    await filled();
    const forged = (heads.at(-1) ?? '').replace(/.{3}$/, 'AAA');
    await expect(open({}, forged)).rejects.toMatchObject({ code: 'RECORDER_HEAD_INVALID' });
    await expect(open({}, '')).rejects.toMatchObject({ code: 'RECORDER_HEAD_INVALID' });
    const tip = { log: log.name, size: 0, hash: 'x'.repeat(43), at: startMs };
    const foreign = signHead({ ...tip, log: 'another' }, key.signer);
    await expect(open({}, foreign)).rejects.toMatchObject({ code: 'RECORDER_HEAD_FOREIGN' });
    const stranger = signHead(tip, testKey().signer);
    await expect(open({}, stranger)).rejects.toMatchObject({ code: 'RECORDER_HEAD_INVALID' });
  });
});

describe('the recorder', () => {
  it('resolves only once the batch is durable', async () => {
    const recorder = await open();
    let release = () => undefined as void;
    log.gate = new Promise((done) => (release = done));
    let resolved = false;
    const call = recorder.record([draft(1)]).then(() => (resolved = true));
    await settle();
    expect(resolved).toBe(false);
    expect(recorder.size()).toBe(0);
    release();
    await call;
    expect(recorder.size()).toBe(1);
  });

  it('gathers what comes while it writes into one batch, in order', async () => {
    const recorder = await open();
    const before = log.appends;
    const first = recorder.record([draft(1)]);
    await Promise.resolve();
    await Promise.resolve();
    const rest = [2, 3, 4, 5].map((n) => recorder.record([draft(n)]));
    await Promise.all([first, ...rest]);
    expect(log.appends - before).toBeLessThanOrEqual(2);
    expect((await entries(recorder)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5].map(ulid));
    expect(await rest[3]).toEqual([{ sequence: 4 }]);
  });

  it('waits for company no longer than its window, or until enough wait', async () => {
    const recorder = await open({ windowMs: 2, batchEntriesMax: 3 });
    let resolved = 0;
    const count = () => (resolved += 1);
    void recorder.record([draft(1)]).then(count);
    await settle();
    expect(resolved).toBe(0);
    timer.fire();
    await settle();
    expect(resolved).toBe(1);
    for (const n of [2, 3, 4]) void recorder.record([draft(n)]).then(count);
    await settle();
    expect(resolved).toBe(4);
  });

  it('splits more calls than one batch holds over several, none torn apart', async () => {
    const recorder = await open({ batchEntriesMax: 4 });
    const before = log.appends;
    const calls = [0, 1, 2, 3, 4].map((n) => recorder.record([1, 2, 3].map((m) => draft(n * 3 + m))));
    await Promise.all(calls);
    expect(log.appends - before).toBe(5);
    expect(recorder.size()).toBe(15);
    expect(await verified()).toBe(true);
  });

  it('records a resent entry once, in the same batch, later, and after a restart', async () => {
    const recorder = await open();
    const [first, second] = await Promise.all([
      recorder.record([draft(1)]),
      recorder.record([draft(2), draft(1)]),
    ]);
    expect(first).toEqual([{ sequence: 0 }]);
    expect(second).toEqual([{ sequence: 1 }, { sequence: 0 }]);
    expect(await recorder.record([draft(1, { tookUs: null })])).toEqual([{ sequence: 0 }]);
    await recorder.close();
    log = Object.assign(new FaultyLog(log.name), { lines: log.lines });
    const again = await open();
    expect(await again.record([draft(2)])).toEqual([{ sequence: 1 }]);
    expect(again.size()).toBe(2);
  });

  it('does not let one writer keep out an entry of another by taking its id', async () => {
    const recorder = await open();
    await recorder.record([draft(1, { actor: 'sidecar:evil' })]);
    expect(await recorder.record([draft(1, { actor: 'node' })])).toEqual([{ sequence: 1 }]);
  });

  it('remembers at least the promised number of ids, and not for ever', async () => {
    const recorder = await open({ recentIdsMax: 10 });
    for (let n = 1; n <= 40; n += 1) await recorder.record([draft(n)]);
    for (let n = 31; n <= 40; n += 1) await recorder.record([draft(n)]);
    expect(recorder.size()).toBe(40);
    await recorder.record([draft(1)]);
    expect(recorder.size()).toBe(41);
  });

  it('never goes back in time, also over a restart', async () => {
    const recorder = await open();
    await recorder.record([draft(1)]);
    clock.set(startMs - 3_600_000);
    await recorder.record([draft(2)]);
    await recorder.close();
    log = Object.assign(new FaultyLog(log.name), { lines: log.lines });
    const again = await open();
    expect(again.recordedAt()).toBe(startMs);
    await again.record([draft(3)]);
    clock.set(startMs + 5);
    await again.record([draft(4)]);
    const times = (await entries(again)).map(({ recordedAt }) => recordedAt - startMs);
    expect(times).toEqual([0, 0, 0, 5]);
    expect(await verified()).toBe(true);
  });

  it('resolves an empty call', async () => {
    const recorder = await open();
    expect(await recorder.record([])).toEqual([]);
  });

  it('records what waits before it closes', async () => {
    const recorder = await open();
    const calls = [1, 2, 3].map((n) => recorder.record([draft(n)]));
    await recorder.close();
    await Promise.all(calls);
    expect(openHead(heads.at(-1) ?? '', key.keys)?.size).toBe(3);
  });
});

describe('the recorder on a failing disk', () => {
  it.each(['RECORDER_NOT_DURABLE', 'RECORDER_FULL'] as const)(
    'says %s, refuses, and records how long and how many when it is back',
    async (fault) => {
      const recorder = await open();
      const heard: RecorderStatus['state'][] = [];
      recorder.onState(({ state }) => heard.push(state));
      await recorder.record([draft(1)]);
      log.fault = fault;
      log.reserve = false;
      for (const n of [2, 3]) {
        await expect(recorder.record([draft(n)])).rejects.toMatchObject({ code: fault });
      }
      await expect(recorder.record([draft(4)], privileged)).rejects.toMatchObject({ code: fault });
      expect(recorder.status()).toMatchObject({ state: 'unavailable', code: fault });
      log.fault = null;
      clock.advance(500);
      await recorder.record([draft(5)]);
      expect(recorder.status()).toMatchObject({ state: 'available', code: null });
      const all = await entries(recorder);
      expect(all.map(({ kind }) => kind)).toEqual([
        'message.admitted',
        'recorder.recovered',
        'message.admitted',
      ]);
      expect(all[1]).toMatchObject({ code: fault, detail: { rejected: 3, since: startMs } });
      expect(heard.at(0)).not.toBe('available');
      expect(heard.at(-1)).toBe('available');
      expect(await verified()).toBe(true);
    },
  );

  it('records privileged entries in the reserve while the disk is full, and no others', async () => {
    const recorder = await open();
    log.fault = 'RECORDER_FULL';
    const [refused, recorded] = await Promise.allSettled([
      recorder.record([draft(1)]),
      recorder.record([draft(2)], privileged),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'RECORDER_FULL' } });
    expect(recorded).toMatchObject({ status: 'fulfilled', value: [{ sequence: 0 }] });
    expect(recorder.status()).toMatchObject({ state: 'reserve', code: 'RECORDER_FULL' });
    log.reserve = false;
    await expect(recorder.record([draft(3)], privileged)).rejects.toBeInstanceOf(RecorderError);
    expect(recorder.status().state).toBe('unavailable');
    log.fault = null;
    await recorder.record([draft(1)]);
    expect((await entries(recorder)).map(({ id }) => id)).toContain(ulid(1));
    expect(await verified()).toBe(true);
  });

  it('does not take an entry for recorded that was refused', async () => {
    const recorder = await open();
    log.fault = 'RECORDER_NOT_DURABLE';
    await expect(recorder.record([draft(1)])).rejects.toBeInstanceOf(RecorderError);
    log.fault = null;
    expect(await recorder.record([draft(1)])).toEqual([{ sequence: 1 }]);
  });

  it('says at opening that an incomplete line was cut off', async () => {
    log.torn = 17;
    const recorder = await open();
    const [first] = await entries(recorder);
    expect(first).toMatchObject({ kind: 'recorder.recovered', detail: { tornBytes: 17 } });
  });

  it('opens on a disk that takes nothing, and says later what was cut off', async () => {
    log.torn = 17;
    log.fault = 'RECORDER_NOT_DURABLE';
    const recorder = await open();
    expect(recorder.status().state).toBe('unavailable');
    log.fault = null;
    await recorder.record([draft(1)]);
    const [first] = await entries(recorder);
    expect(first).toMatchObject({ kind: 'recorder.recovered', detail: { tornBytes: 17 } });
  });

  it('goes on when a listener throws, and tells the others', async () => {
    const recorder = await open();
    let told = 0;
    recorder.onState(() => {
      throw new Error('A listener of the test failed.');
    });
    const end = recorder.onState(() => (told += 1));
    log.fault = 'RECORDER_NOT_DURABLE';
    await expect(recorder.record([draft(1)])).rejects.toBeInstanceOf(RecorderError);
    expect(told).toBe(1);
    end();
    log.fault = null;
    await recorder.record([draft(2)]);
    expect(told).toBe(1);
  });
});

describe('the head of the recorder', () => {
  it('covers only what is durable, at most once per interval, and all of it at the end', async () => {
    const recorder = await open();
    expect(heads).toHaveLength(1);
    for (let n = 1; n <= 50; n += 1) {
      clock.advance(100);
      await recorder.record([draft(n)]);
      await settle();
      timer.fire();
    }
    // The fake timer fires too early on purpose; a real one keeps the interval.
    const sizes = heads.map((head) => openHead(head, key.keys)?.size ?? -1);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    await recorder.close();
    expect(openHead(heads.at(-1) ?? '', key.keys)?.size).toBe(50);
    expect(await verified()).toBe(true);
  });

  it('waits for its interval, and then covers what came meanwhile', async () => {
    const recorder = await open();
    for (let n = 1; n <= 5; n += 1) await recorder.record([draft(n)]);
    await settle();
    expect(heads).toHaveLength(1);
    clock.advance(1000);
    timer.fire();
    await settle();
    expect(heads).toHaveLength(2);
    expect(openHead(heads[1] ?? '', key.keys)?.size).toBe(5);
    expect(timer.pending()).toBe(0);
    await recorder.close();
  });

  it('that cannot be written is said, tried again, and stops no entry', async () => {
    const recorder = await open();
    headFault = true;
    clock.advance(1000);
    await recorder.record([draft(1)]);
    await settle();
    expect(recorder.status()).toMatchObject({
      state: 'available',
      headCode: 'RECORDER_HEAD_NOT_WRITTEN',
      headSize: 0,
    });
    await recorder.record([draft(2)]);
    headFault = false;
    clock.advance(1000);
    timer.fire();
    await settle();
    expect(recorder.status()).toMatchObject({ headCode: null, headSize: 2 });
  });
});

describe('a flood of refusals', () => {
  const refusal = (n: number, code = 'BUS_REPLAY') =>
    draft(n, { kind: 'message.refused', outcome: 'NO-GO', code });
  const limits = { refusalBytesMax: 3000, recentIdsMax: 1000 };

  it('is counted over the quota, and every count is durable before its writer hears', async () => {
    const recorder = await open(limits);
    const receipts: number[] = [];
    for (let n = 1; n <= 500; n += 1) {
      void recorder.record([refusal(n)]).then(([receipt]) => receipts.push(receipt?.sequence ?? -1));
    }
    await settle();
    const written = recorder.size();
    expect(written).toBeGreaterThan(1);
    expect(written).toBeLessThan(8);
    expect(receipts).toHaveLength(written);
    timer.fire();
    await settle();
    expect(receipts).toHaveLength(500);
    const digest = (await entries(recorder)).at(-1);
    expect(digest).toMatchObject({
      kind: 'refusals.counted',
      code: 'RECORDER_REFUSALS_FOLDED',
      detail: { counts: { BUS_REPLAY: 500 - written }, total: 500 - written },
    });
    expect(receipts.at(-1)).toBe(digest?.sequence);
    expect(await verified()).toBe(true);
  });

  it('stops neither work nor the indicator that names its source', async () => {
    const recorder = await open(limits);
    for (let n = 1; n <= 100; n += 1) void recorder.record([refusal(n)]);
    const indicator = draft(200, { kind: 'indicator.raised', outcome: null });
    const mixed = recorder.record([refusal(199), indicator]);
    await recorder.record([draft(201)]);
    await recorder.record([refusal(202)], privileged);
    timer.fire();
    const [folded, raised] = await mixed;
    const all = await entries(recorder);
    expect(all[raised?.sequence ?? -1]).toMatchObject({ kind: 'indicator.raised' });
    expect(all[folded?.sequence ?? -1]).toMatchObject({ kind: 'refusals.counted' });
    expect(all.map(({ id }) => id)).toContain(ulid(202));
  });

  it('keeps its counts while the disk fails, and writes them when it is back', async () => {
    const recorder = await open(limits);
    for (let n = 1; n <= 10; n += 1) void recorder.record([refusal(n)]).catch(() => undefined);
    await settle();
    const written = recorder.size();
    log.fault = 'RECORDER_NOT_DURABLE';
    const late = recorder.record([refusal(11)]);
    timer.fire();
    await expect(late).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
    log.fault = null;
    timer.fire();
    await settle();
    const digest = (await entries(recorder)).at(-1);
    expect(digest).toMatchObject({ detail: { counts: { BUS_REPLAY: 11 - written } } });
  });

  it('is counted before the recorder closes', async () => {
    const recorder = await open(limits);
    const calls = Array.from({ length: 20 }, (_, n) => recorder.record([refusal(n)]));
    await recorder.close();
    await Promise.all(calls);
    expect(timer.pending()).toBe(0);
    expect(await verified()).toBe(true);
  });

  it('takes bounded space however long it lasts', async () => {
    const recorder = await open({ ...limits, refusalWindowMs: 1000, headEveryMs: 1_000_000 });
    for (let second = 0; second < 20; second += 1) {
      for (let n = 0; n < 300; n += 1) void recorder.record([refusal(second * 1000 + n)]);
      clock.advance(1000);
      timer.fire();
      await settle();
    }
    await recorder.close();
    const bytes = log.lines.reduce((sum, line) => sum + line.length, 0);
    expect(bytes).toBeLessThan(20 * (3000 + 1000));
  });
});
