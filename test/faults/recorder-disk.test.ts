// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TestContext } from 'vitest';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import type { RecordLogFilesOptions } from '../../src/adapters/record-log-files.ts';
import { openRecordLogReader, segmentPath } from '../../src/adapters/record-log-segments.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import type { FlightRecorder } from '../../src/recorder/recorder.ts';
import type { RecorderLimits } from '../../src/recorder/recorder-options.ts';
import { directorySource } from '../../src/verifier/directory.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import {
  collect,
  draft,
  fakeClock,
  fakeRandom,
  fakeTimer,
  settle,
  testKey,
} from './recorder-fixture.ts';

const normal = { privileged: false };
const privileged = { privileged: true };
const key = testKey();
const clock = fakeClock();
const timer = fakeTimer();

describe('a recorder on a real disk', () => {
  let root = '';
  let disk = '';
  let mounted: string[] = [];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'maso-disk-'));
    disk = join(root, 'disk');
    await mkdir(disk);
  });
  afterEach(async () => {
    for (const path of mounted.toReversed()) execFileSync('umount', ['-l', path]);
    mounted = [];
    await rm(root, { recursive: true });
  });

  /** A small disk of its own; without the right to mount one, the test is skipped and says so. */
  function mount(context: TestContext, path: string, options: string): void {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' });
      mounted.push(path);
    } catch {
      context.skip('needs the right to mount a tmpfs (root)');
    }
  }

  async function open(
    options: Partial<RecordLogFilesOptions> = {},
    limits: Partial<RecorderLimits> = {},
  ): Promise<FlightRecorder> {
    const logDirectory = join(disk, 'log');
    const file = await openRecordCheckpointFile({ directory: join(root, 'checkpoint'), logDirectory });
    const log = await openRecordLogFiles({ directory: logDirectory, ...options });
    return openRecorder({
      log,
      clock,
      random: fakeRandom(),
      timer: timer.timer,
      signer: key.signer,
      lastCheckpoint: await file.read(),
      writeCheckpoint: file.write,
      limits,
    });
  }

  async function expectWhole(acknowledged: readonly string[]): Promise<void> {
    const logDirectory = join(disk, 'log');
    const file = await openRecordCheckpointFile({ directory: join(root, 'checkpoint'), logDirectory });
    const checkpoints = [(await file.read()) ?? ''];
    const { name, read } = await openRecordLogReader(logDirectory);
    const lines = await collect(read(0, Number.POSITIVE_INFINITY));
    const source = await directorySource(logDirectory);
    const report = await verifyLog({ source, log: key.verifierKey(name), checkpoints });
    expect(report).toMatchObject({ ok: true, covered: lines.length, findings: [] });
    const ids = new Set(lines.map((line) => String(JSON.parse(Buffer.from(line).toString()).id)));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect(ids.size).toBe(lines.length);
  }

  const big = (n: number): EntryDraft => draft(n, { detail: { filler: 'x'.repeat(4000) } });

  it('that is full keeps its reserve for privileged entries, and recovers', async (context) => {
    mount(context, disk, 'size=2m');
    const recorder = await open({ reserveBytes: 524_288 });
    const acknowledged: string[] = [];
    let number = 0;
    const writeUntilRefused = async (options: object): Promise<unknown> => {
      for (;;) {
        number += 1;
        try {
          await recorder.record([big(number)], options);
          acknowledged.push(big(number).id);
        } catch (failure) {
          return failure;
        }
      }
    };
    expect(await writeUntilRefused({})).toMatchObject({ code: 'RECORDER_FULL' });
    expect(acknowledged.length).toBeGreaterThan(200);
    expect(recorder.status()).toMatchObject({ state: 'reserve', code: 'RECORDER_FULL' });
    const normal = acknowledged.length;
    expect(await writeUntilRefused(privileged)).toMatchObject({ code: 'RECORDER_FULL' });
    expect(acknowledged.length - normal).toBeGreaterThan(50);
    expect(recorder.status()).toMatchObject({ state: 'unavailable', code: 'RECORDER_FULL' });
    await expect(recorder.record([draft(9999)])).rejects.toMatchObject({ code: 'RECORDER_FULL' });

    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    await recorder.record([draft(10_000)]);
    expect(recorder.status().state).toBe('available');
    expect(statSync(join(disk, 'log/reserve')).size).toBe(524_288);
    const all = await collect(recorder.read(acknowledged.length, Number.POSITIVE_INFINITY));
    expect(all.map(({ kind }) => kind)).toEqual(['recorder.recovered', 'message.admitted']);
    await recorder.close();
    await expectWhole([...acknowledged, draft(10_000).id]);
  });

  it('that another fills up loses nothing acknowledged, restart included', async (context) => {
    mount(context, disk, 'size=2m');
    let recorder = await open({ reserveBytes: 131_072, segmentBytes: 100_000 });
    const acknowledged: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      await recorder.record([big(n)]);
      acknowledged.push(big(n).id);
    }
    const filler = join(disk, 'filler');
    expect(() => writeFileSync(filler, Buffer.alloc(4_000_000))).toThrow(/ENOSPC/);
    await expect(recorder.record([big(100)])).rejects.toMatchObject({ code: 'RECORDER_FULL' });
    await recorder.record([big(101)], privileged);
    acknowledged.push(big(101).id);
    await recorder.close();
    recorder = await open({ reserveBytes: 131_072, segmentBytes: 100_000 });
    await expect(recorder.record([big(102)])).rejects.toMatchObject({ code: 'RECORDER_FULL' });
    await recorder.record([big(103)], privileged);
    acknowledged.push(big(103).id);
    unlinkSync(filler);
    await recorder.record([big(104)]);
    acknowledged.push(big(104).id);
    await recorder.close();
    await expectWhole(acknowledged);
  });

  it('that does not even let it cut off a torn append does so later', async (context) => {
    mount(context, disk, 'size=1m');
    const directory = join(disk, 'log');
    const log = await openRecordLogFiles({ directory, reserveBytes: 0 });
    await log.append(['first'], normal);
    const handle = await openFile(join(disk, 'log/header.json'));
    const truncate = vi.spyOn(Object.getPrototypeOf(handle), 'truncate');
    await handle.close();
    truncate.mockRejectedValue(new Error('The disk of the test failed.'));
    const lines = ['x'.repeat(2_000_000)];
    await expect(log.append(lines, normal)).rejects.toMatchObject({ code: 'RECORDER_FULL' });
    const torn = statSync(segmentPath(directory, 0)).size;
    expect(torn).toBeGreaterThan(500_000);
    await expect(log.append(['second'], normal)).rejects.toMatchObject({
      code: 'RECORDER_NOT_DURABLE',
    });
    truncate.mockRestore();
    await log.append(['second'], normal);
    expect(log.tornBytes()).toBe(torn - 'first\n'.length);
    await log.close();
    const { read } = await openRecordLogReader(directory);
    expect((await collect(read(0, 9))).map(String)).toEqual(['first', 'second']);
  });

  it('that becomes read-only under it refuses all, says why, and recovers', async (context) => {
    const recorder = await open({ segmentBytes: 1, reserveBytes: 0 });
    await recorder.record([draft(1)]);
    mount(context, join(disk, 'log'), 'ro');
    for (const options of [{}, privileged]) {
      const call = recorder.record([draft(2)], options);
      await expect(call).rejects.toMatchObject({
        code: 'RECORDER_NOT_DURABLE',
        cause: { code: 'EROFS' },
      });
    }
    expect(recorder.status()).toMatchObject({ state: 'unavailable', code: 'RECORDER_NOT_DURABLE' });
    execFileSync('umount', [mounted.pop() ?? '']);
    await recorder.record([draft(3)]);
    expect(recorder.status().state).toBe('available');
    await recorder.close();
    await expectWhole([draft(1).id, draft(3).id]);
  });

  it('that is read-only from the start is refused at opening', async (context) => {
    mount(context, disk, 'size=2m');
    const recorder = await open({ reserveBytes: 0 });
    await recorder.record([draft(1)]);
    await recorder.close();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await expect(open({ reserveBytes: 0 })).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
    execFileSync('mount', ['-o', 'remount,rw', disk]);
    await (await open({ reserveBytes: 0 })).close();
    await expectWhole([draft(1).id]);
  });

  it('is not filled by a flood of refusals, and goes on working', async () => {
    const recorder = await open({}, { refusalBytesMax: 64 * 1024, digestEveryMs: 500 });
    const used = () => {
      const directory = join(disk, 'log');
      const segments = readdirSync(directory).filter((name) => name.startsWith('segment-'));
      return segments.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    };
    let settled = 0;
    for (let n = 0; n < 60_000; n += 1) {
      const refused = draft(n, { kind: 'message.refused', outcome: 'NO-GO', code: 'BUS_REPLAY' });
      void recorder.record([refused]).then(() => (settled += 1));
      if (n % 1000 === 0) {
        await recorder.record([draft(100_000 + n)]);
        timer.fire();
        await settle();
      }
    }
    await recorder.close();
    await settle();
    expect(settled).toBe(60_000);
    expect(used()).toBeLessThan(64 * 1024 + 60 * 2 * 1000);
    let counted = 0;
    let single = 0;
    const { read } = await openRecordLogReader(join(disk, 'log'));
    for await (const line of read(0, Number.POSITIVE_INFINITY)) {
      const entry = JSON.parse(Buffer.from(line).toString());
      if (entry.kind === 'refusals.counted') counted += entry.detail.total;
      if (entry.kind === 'message.refused') single += 1;
    }
    expect(counted + single).toBe(60_000);
    await expectWhole([draft(100_000).id]);
  });
});
