// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { draft, settle, startMs, testKey, ulid } from '../../test/faults/recorder-fixture.ts';
import { FaultyLog, RecorderHarness } from '../../test/faults/recorder-harness.ts';
import { openCheckpoint, signCheckpoint } from './checkpoint.ts';
import { emptyRoot } from './merkle.ts';

const privileged = { privileged: true };
let h = new RecorderHarness();
beforeEach(() => {
  h = new RecorderHarness();
});

/** Entries that a checkpoint covers; fails on one that is not the recorder's. */
function sizeOf(signed: string): number {
  const opened = openCheckpoint(signed, h.log.name, [h.key.signer.publicKey]);
  if (typeof opened === 'string') throw new Error(opened);
  return opened.size;
}

describe('the recorder refuses', () => {
  it('an entry of another shape, too large or not canonicalisable, and its call', async () => {
    const recorder = await h.open({ entryBytesMax: 2000 });
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
    expect((await h.entries(recorder)).map(({ id }) => id)).toEqual([10, 11, 12, 13].map(ulid));
    expect(recorder.status().state).toBe('available');
    expect(await h.verified()).toBe(true);
  });

  it('a call with more entries than a batch holds', async () => {
    const recorder = await h.open({ batchEntriesMax: 2 });
    const call = recorder.record([draft(1), draft(2), draft(3)]);
    await expect(call).rejects.toMatchObject({ code: 'RECORDER_ENTRY_INVALID' });
  });

  it('entries when too many wait, and keeps room for privileged ones', async () => {
    const recorder = await h.open({ waitingEntriesMax: 4 });
    let release = () => undefined as void;
    h.log.gate = new Promise((done) => (release = done));
    const waiting = [1, 2, 3].map((n) => recorder.record([draft(n)]));
    await expect(recorder.record([draft(4)])).rejects.toMatchObject({
      code: 'RECORDER_OVERLOADED',
    });
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
    const recorder = await h.open();
    await recorder.close();
    await expect(recorder.record([draft(1)])).rejects.toMatchObject({ code: 'RECORDER_CLOSED' });
    await recorder.close();
  });

  it('limits that are not within their bounds', async () => {
    for (const limits of [{ windowMs: 3 }, { batchEntriesMax: 0 }, { checkpointEveryMs: Number.NaN }]) {
      await expect(h.open(limits)).rejects.toMatchObject({ code: 'RECORDER_OPTIONS_INVALID' });
    }
  });
});

describe('the recorder refuses to open', () => {
  const filled = async (): Promise<void> => {
    const recorder = await h.open();
    await recorder.record([1, 2, 3, 4].map((n) => draft(n)));
    await recorder.close();
  };

  it('a log that is shorter than its last checkpoint', async () => {
    await filled();
    h.log.lines.pop();
    await expect(h.open()).rejects.toMatchObject({ code: 'RECORDER_TRUNCATED' });
  });

  it('a log that was rewritten since its last checkpoint, also before the lines it reads', async () => {
    await filled();
    const last = h.checkpoints.at(-1) ?? '';
    h.log = new FaultyLog(h.log.name);
    const other = await h.open({}, null);
    await other.record([5, 6, 7, 8, 9, 10].map((n) => draft(n)));
    await expect(h.open({}, last)).rejects.toMatchObject({ code: 'RECORDER_FORKED' });
    const short = h.open({ recentIdsMax: 1 }, last);
    await expect(short).rejects.toMatchObject({ code: 'RECORDER_FORKED' });
  });

  it('a log with any line at its end changed', async () => {
    await filled();
    for (let at = 0; at < h.log.lines.length; at += 1) {
      const whole = h.log.lines[at] ?? new Uint8Array();
      h.log.lines[at] = Buffer.from(Buffer.from(whole).toString().replace('payments', 'paymentz'));
      await expect(h.open()).rejects.toMatchObject({ code: 'RECORDER_FORKED' });
      h.log.lines[at] = whole;
    }
    await h.open();
  });

  it('with a checkpoint that is forged, of another key, or of another log', async () => {
    await filled();
    const invalid = { code: 'RECORDER_CHECKPOINT_INVALID' };
    const forged = (h.checkpoints.at(-1) ?? '').replace('\n4\n', '\n3\n');
    await expect(h.open({}, forged)).rejects.toMatchObject(invalid);
    await expect(h.open({}, '')).rejects.toMatchObject(invalid);
    const empty = { log: h.log.name, size: 0, root: emptyRoot };
    const foreign = signCheckpoint({ ...empty, log: 'another' }, h.key.signer);
    await expect(h.open({}, foreign)).rejects.toMatchObject({
      code: 'RECORDER_CHECKPOINT_FOREIGN',
    });
    const stranger = signCheckpoint(empty, testKey().signer);
    await expect(h.open({}, stranger)).rejects.toMatchObject(invalid);
  });
});

describe('the recorder', () => {
  it('resolves only once the batch is durable', async () => {
    const recorder = await h.open();
    let release = () => undefined as void;
    h.log.gate = new Promise((done) => (release = done));
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
    const recorder = await h.open();
    const before = h.log.appends;
    const first = recorder.record([draft(1)]);
    await Promise.resolve();
    await Promise.resolve();
    const rest = [2, 3, 4, 5].map((n) => recorder.record([draft(n)]));
    await Promise.all([first, ...rest]);
    expect(h.log.appends - before).toBeLessThanOrEqual(2);
    expect((await h.entries(recorder)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5].map(ulid));
    expect(await rest[3]).toEqual([{ sequence: 4 }]);
  });

  it('waits for company no longer than its window, or until enough wait', async () => {
    const recorder = await h.open({ windowMs: 2, batchEntriesMax: 3 });
    let resolved = 0;
    const count = () => (resolved += 1);
    void recorder.record([draft(1)]).then(count);
    await settle();
    expect(resolved).toBe(0);
    h.timer.fire();
    await settle();
    expect(resolved).toBe(1);
    for (const n of [2, 3, 4]) void recorder.record([draft(n)]).then(count);
    await settle();
    expect(resolved).toBe(4);
  });

  it('splits more calls than one batch holds over several, none torn apart', async () => {
    const recorder = await h.open({ batchEntriesMax: 4 });
    const before = h.log.appends;
    const drafts = [0, 1, 2, 3, 4].map((n) => [1, 2, 3].map((m) => draft(n * 3 + m)));
    const calls = drafts.map((call) => recorder.record(call));
    await Promise.all(calls);
    expect(h.log.appends - before).toBe(5);
    expect(recorder.size()).toBe(15);
    expect(await h.verified()).toBe(true);
  });

  it('records a resent entry once, in the same batch, later, and after a restart', async () => {
    const recorder = await h.open();
    const [first, second] = await Promise.all([
      recorder.record([draft(1)]),
      recorder.record([draft(2), draft(1)]),
    ]);
    expect(first).toEqual([{ sequence: 0 }]);
    expect(second).toEqual([{ sequence: 1 }, { sequence: 0 }]);
    expect(await recorder.record([draft(1, { tookUs: null })])).toEqual([{ sequence: 0 }]);
    await recorder.close();
    h.restart();
    const again = await h.open();
    expect(await again.record([draft(2)])).toEqual([{ sequence: 1 }]);
    expect(again.size()).toBe(2);
  });

  it('says which number a resent entry had this time, before its writer hears', async () => {
    const recorder = await h.open();
    const numbered = (number: number) =>
      draft(1, { actor: 'sidecar:triage', detail: { writer: `${'R'.repeat(26)}/${number}/0` } });
    await recorder.record([numbered(0)]);
    expect(await recorder.record([numbered(4), draft(2)])).toEqual([{ sequence: 0 }, { sequence: 1 }]);
    expect((await h.entries(recorder)).at(-1)).toMatchObject({
      kind: 'record.repeated', actor: 'node', detail: { writers: { [`triage ${'R'.repeat(26)}`]: '4' } },
    });
    expect(await h.verified()).toBe(true);
  });

  it('does not let one writer keep out an entry of another by taking its id', async () => {
    const recorder = await h.open();
    await recorder.record([draft(1, { actor: 'sidecar:evil' })]);
    expect(await recorder.record([draft(1, { actor: 'node' })])).toEqual([{ sequence: 1 }]);
  });

  it('remembers at least the promised number of ids, and not for ever', async () => {
    const recorder = await h.open({ recentIdsMax: 10 });
    for (let n = 1; n <= 40; n += 1) await recorder.record([draft(n)]);
    for (let n = 31; n <= 40; n += 1) await recorder.record([draft(n)]);
    expect(recorder.size()).toBe(40);
    await recorder.record([draft(1)]);
    expect(recorder.size()).toBe(41);
  });

  it('never goes back in time, also over a restart', async () => {
    const recorder = await h.open();
    await recorder.record([draft(1)]);
    h.clock.set(startMs - 3_600_000);
    await recorder.record([draft(2)]);
    await recorder.close();
    h.restart();
    const again = await h.open();
    expect(again.recordedAt()).toBe(startMs);
    await again.record([draft(3)]);
    h.clock.set(startMs + 5);
    await again.record([draft(4)]);
    const times = (await h.entries(again)).map(({ recordedAt }) => recordedAt - startMs);
    expect(times).toEqual([0, 0, 0, 5]);
    expect(await h.verified()).toBe(true);
  });

  it('resolves an empty call', async () => {
    const recorder = await h.open();
    expect(await recorder.record([])).toEqual([]);
  });

  it('records what waits before it closes', async () => {
    const recorder = await h.open();
    const calls = [1, 2, 3].map((n) => recorder.record([draft(n)]));
    await recorder.close();
    await Promise.all(calls);
    expect(sizeOf(h.checkpoints.at(-1) ?? '')).toBe(3);
  });
});

describe('the checkpoint of the recorder', () => {
  it('covers only what is durable, and all of it at the end', async () => {
    const recorder = await h.open();
    expect(h.checkpoints).toHaveLength(1);
    for (let n = 1; n <= 50; n += 1) {
      h.clock.advance(100);
      await recorder.record([draft(n)]);
      await settle();
      h.timer.fire();
    }
    // The fake timer fires too early on purpose; a real one keeps the interval.
    const sizes = h.checkpoints.map(sizeOf);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    await recorder.close();
    expect(sizeOf(h.checkpoints.at(-1) ?? '')).toBe(50);
    expect(await h.verified()).toBe(true);
  });

  it('waits for its interval, and then covers what came meanwhile', async () => {
    const recorder = await h.open();
    for (let n = 1; n <= 5; n += 1) await recorder.record([draft(n)]);
    await settle();
    expect(h.checkpoints).toHaveLength(1);
    h.clock.advance(1000);
    h.timer.fire();
    await settle();
    expect(h.checkpoints).toHaveLength(2);
    expect(sizeOf(h.checkpoints[1] ?? '')).toBe(5);
    expect(h.timer.pending()).toBe(0);
    await recorder.close();
  });

  it('that cannot be written is said, tried again, and stops no entry', async () => {
    const recorder = await h.open();
    h.checkpointFault = true;
    h.clock.advance(1000);
    await recorder.record([draft(1)]);
    await settle();
    expect(recorder.status()).toMatchObject({
      state: 'available',
      checkpointCode: 'RECORDER_CHECKPOINT_NOT_WRITTEN',
      checkpointSize: 0,
    });
    await recorder.record([draft(2)]);
    h.checkpointFault = false;
    h.clock.advance(1000);
    h.timer.fire();
    await settle();
    expect(recorder.status()).toMatchObject({ checkpointCode: null, checkpointSize: 2 });
  });
});
