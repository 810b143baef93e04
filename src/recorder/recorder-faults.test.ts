// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { draft, settle, startMs, ulid } from '../../test/faults/recorder-fixture.ts';
import { RecorderHarness } from '../../test/faults/recorder-harness.ts';
import { RecorderError } from './entry.ts';
import type { RecorderStatus } from './recorder-options.ts';

const privileged = { privileged: true };
let h = new RecorderHarness();
beforeEach(() => {
  h = new RecorderHarness();
});

describe('the recorder on a failing disk', () => {
  it.each(['RECORDER_NOT_DURABLE', 'RECORDER_FULL'] as const)(
    'says %s, refuses, and records how long and how many when it is back',
    async (fault) => {
      const recorder = await h.open();
      const heard: RecorderStatus['state'][] = [];
      recorder.onState(({ state }) => heard.push(state));
      await recorder.record([draft(1)]);
      h.log.fault = fault;
      h.log.reserve = false;
      for (const n of [2, 3]) {
        await expect(recorder.record([draft(n)])).rejects.toMatchObject({ code: fault });
      }
      await expect(recorder.record([draft(4)], privileged)).rejects.toMatchObject({ code: fault });
      expect(recorder.status()).toMatchObject({ state: 'unavailable', code: fault });
      h.log.fault = null;
      h.clock.advance(500);
      await recorder.record([draft(5)]);
      expect(recorder.status()).toMatchObject({ state: 'available', code: null });
      const all = await h.entries(recorder);
      expect(all.map(({ kind }) => kind)).toEqual([
        'message.admitted',
        'recorder.recovered',
        'message.admitted',
      ]);
      expect(all[1]).toMatchObject({ code: fault, detail: { rejected: 3, since: startMs } });
      expect(heard.at(0)).not.toBe('available');
      expect(heard.at(-1)).toBe('available');
      expect(await h.verified()).toBe(true);
    },
  );

  it('records only privileged entries while the disk is full, in the reserve', async () => {
    const recorder = await h.open();
    h.log.fault = 'RECORDER_FULL';
    const [refused, recorded] = await Promise.allSettled([
      recorder.record([draft(1)]),
      recorder.record([draft(2)], privileged),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'RECORDER_FULL' } });
    expect(recorded).toMatchObject({ status: 'fulfilled', value: [{ sequence: 0 }] });
    expect(recorder.status()).toMatchObject({ state: 'reserve', code: 'RECORDER_FULL' });
    h.log.reserve = false;
    await expect(recorder.record([draft(3)], privileged)).rejects.toBeInstanceOf(RecorderError);
    expect(recorder.status().state).toBe('unavailable');
    h.log.fault = null;
    await recorder.record([draft(1)]);
    expect((await h.entries(recorder)).map(({ id }) => id)).toContain(ulid(1));
    expect(await h.verified()).toBe(true);
  });

  it('does not take an entry for recorded that was refused', async () => {
    const recorder = await h.open();
    h.log.fault = 'RECORDER_NOT_DURABLE';
    await expect(recorder.record([draft(1)])).rejects.toBeInstanceOf(RecorderError);
    h.log.fault = null;
    expect(await recorder.record([draft(1)])).toEqual([{ sequence: 1 }]);
  });

  it('says at opening that an incomplete line was cut off', async () => {
    h.log.torn = 17;
    const recorder = await h.open();
    const [first] = await h.entries(recorder);
    expect(first).toMatchObject({ kind: 'recorder.recovered', detail: { tornBytes: 17 } });
  });

  it('opens on a disk that takes nothing, and says later what was cut off', async () => {
    h.log.torn = 17;
    h.log.fault = 'RECORDER_NOT_DURABLE';
    const recorder = await h.open();
    expect(recorder.status().state).toBe('unavailable');
    h.log.fault = null;
    await recorder.record([draft(1)]);
    const [first] = await h.entries(recorder);
    expect(first).toMatchObject({ kind: 'recorder.recovered', detail: { tornBytes: 17 } });
  });

  it('goes on when a listener throws, and tells the others', async () => {
    const recorder = await h.open();
    let told = 0;
    recorder.onState(() => {
      throw new Error('A listener of the test failed.');
    });
    const end = recorder.onState(() => (told += 1));
    h.log.fault = 'RECORDER_NOT_DURABLE';
    await expect(recorder.record([draft(1)])).rejects.toBeInstanceOf(RecorderError);
    expect(told).toBe(1);
    end();
    h.log.fault = null;
    await recorder.record([draft(2)]);
    expect(told).toBe(1);
  });
});

describe('a flood of refusals', () => {
  const refusal = (n: number, code = 'BUS_REPLAY') =>
    draft(n, { kind: 'message.refused', outcome: 'NO-GO', code });
  const limits = { refusalBytesMax: 3000, recentIdsMax: 1000 };

  it('is counted over the quota, and every count is durable before its writer hears', async () => {
    const recorder = await h.open(limits);
    const receipts: number[] = [];
    for (let n = 1; n <= 500; n += 1) {
      void recorder.record([refusal(n)]).then(([receipt]) => {
        receipts.push(receipt?.sequence ?? -1);
      });
    }
    await settle();
    const written = recorder.size();
    expect(written).toBeGreaterThan(1);
    expect(written).toBeLessThan(8);
    expect(receipts).toHaveLength(written);
    h.timer.fire();
    await settle();
    expect(receipts).toHaveLength(500);
    const digest = (await h.entries(recorder)).at(-1);
    expect(digest).toMatchObject({
      kind: 'refusals.counted',
      code: 'RECORDER_REFUSALS_FOLDED',
      detail: { counts: { BUS_REPLAY: 500 - written }, total: 500 - written },
    });
    expect(receipts.at(-1)).toBe(digest?.sequence);
    expect(await h.verified()).toBe(true);
  });

  it('is counted with the numbers that its writers gave, from one end to the other', async () => {
    const recorder = await h.open(limits);
    const run = 'R'.repeat(26);
    const numbered = (n: number) => ({
      ...refusal(n), actor: n % 2 === 0 ? 'sidecar:even' : 'agent:odd', detail: { writer: `${run}/${n}/0` },
    });
    for (let n = 1; n <= 400; n += 1) void recorder.record([numbered(n)]);
    await settle();
    const written = recorder.size();
    h.timer.fire();
    await settle();
    const { writers } = (await h.entries(recorder)).at(-1)?.detail ?? {};
    const ranges = Object.entries(Object(writers)).map(([name, text]) => [name, String(text).split(',')] as const);
    expect(ranges.map(([name]) => name).sort()).toEqual([`even ${run}`, `odd ${run}`]);
    for (const [name, [first = '', ...rest]] of ranges) {
      expect(Number(first)).toBe(written + (name.startsWith('odd') === (written % 2 === 0) ? 1 : 2));
      expect(rest.length).toBeLessThan(16);
      expect(rest.at(-1)?.split('-').at(-1)).toBe(name.startsWith('odd') ? '399' : '400');
    }
  });

  it('stops neither work nor the indicator that names its source', async () => {
    const recorder = await h.open(limits);
    for (let n = 1; n <= 100; n += 1) void recorder.record([refusal(n)]);
    const indicator = draft(200, { kind: 'indicator.raised', outcome: null });
    const mixed = recorder.record([refusal(199), indicator]);
    await recorder.record([draft(201)]);
    await recorder.record([refusal(202)], privileged);
    h.timer.fire();
    const [folded, raised] = await mixed;
    const all = await h.entries(recorder);
    expect(all[raised?.sequence ?? -1]).toMatchObject({ kind: 'indicator.raised' });
    expect(all[folded?.sequence ?? -1]).toMatchObject({ kind: 'refusals.counted' });
    expect(all.map(({ id }) => id)).toContain(ulid(202));
  });

  it('keeps its counts while the disk fails, and writes them when it is back', async () => {
    const recorder = await h.open(limits);
    for (let n = 1; n <= 10; n += 1) void recorder.record([refusal(n)]).catch(() => undefined);
    await settle();
    const written = recorder.size();
    h.log.fault = 'RECORDER_NOT_DURABLE';
    const late = recorder.record([refusal(11)]);
    h.timer.fire();
    await expect(late).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
    h.log.fault = null;
    h.timer.fire();
    await settle();
    const digest = (await h.entries(recorder)).at(-1);
    expect(digest).toMatchObject({ detail: { counts: { BUS_REPLAY: 11 - written } } });
  });

  it('is counted before the recorder closes', async () => {
    const recorder = await h.open(limits);
    const calls = Array.from({ length: 20 }, (_, n) => recorder.record([refusal(n)]));
    await recorder.close();
    await Promise.all(calls);
    expect(h.timer.pending()).toBe(0);
    expect(await h.verified()).toBe(true);
  });

  it('takes bounded space however long it lasts', async () => {
    const recorder = await h.open({ ...limits, refusalWindowMs: 1000, checkpointEveryMs: 1_000_000 });
    for (let second = 0; second < 20; second += 1) {
      for (let n = 0; n < 300; n += 1) void recorder.record([refusal(second * 1000 + n)]);
      h.clock.advance(1000);
      h.timer.fire();
      await settle();
    }
    await recorder.close();
    const bytes = h.log.lines.reduce((sum, line) => sum + line.length, 0);
    expect(bytes).toBeLessThan(20 * (3000 + 1000));
  });
});
