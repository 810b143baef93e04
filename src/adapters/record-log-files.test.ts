// SPDX-License-Identifier: Apache-2.0
import {
  mkdir,
  appendFile,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../test/faults/recorder-fixture.ts';
import { recordLogSuite } from '../recorder/record-log.suite.ts';
import { openRecordLogFiles } from './record-log-files.ts';
import { openRecordLogReader, segmentPath } from './record-log-segments.ts';

const small = { segmentBytes: 64, reserveBytes: 4096 };

recordLogSuite('segment files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'maso-log-'));
  const open = () => openRecordLogFiles({ directory, reserveBytes: 4096 });
  return {
    log: await open(),
    reopen: open,
    dispose: () => rm(directory, { recursive: true }),
  };
});

recordLogSuite('many small segment files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'maso-log-'));
  const open = () => openRecordLogFiles({ directory, segmentBytes: 1, reserveBytes: 0 });
  return {
    log: await open(),
    reopen: open,
    dispose: () => rm(directory, { recursive: true }),
  };
});

describe('segment files', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'maso-log-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const texts = async (from = 0, to = 1000): Promise<string[]> => {
    const reader = await openRecordLogReader(directory);
    return (await collect(reader.read(from, to))).map((line) => Buffer.from(line).toString());
  };

  /** A log of lines `line 0` to `line 9` over several segments, closed. */
  const filled = async (): Promise<void> => {
    const log = await openRecordLogFiles({ directory, ...small });
    for (let n = 0; n < 10; n += 1) await log.append([`line ${n} ${'-'.repeat(20)}`], normal);
    await log.close();
  };
  const normal = { privileged: false };
  const last = async (): Promise<string> => {
    const names = (await readdir(directory)).filter((name) => name.startsWith('segment-'));
    return join(directory, names.sort().at(-1) ?? '');
  };

  it('refuses a second writer, also in the same process', async () => {
    const log = await openRecordLogFiles({ directory });
    const second = openRecordLogFiles({ directory });
    await expect(second).rejects.toMatchObject({ code: 'RECORDER_LOCKED' });
    await log.append(['still mine'], normal);
    await log.close();
    await (await openRecordLogFiles({ directory })).close();
  });

  it('is missing, and not broken, for a reader who names a directory that is not there', async () => {
    await expect(openRecordLogReader(join(directory, 'none'))).rejects.toMatchObject({ code: 'RECORDER_LOG_MISSING' });
    await filled();
    await rename(join(directory, 'header.json'), join(directory, 'away'));
    await expect(openRecordLogReader(directory)).rejects.toMatchObject({ code: 'RECORDER_NOT_DURABLE' });
  });

  it('refuses to open without its header or its first segment', async () => {
    await filled();
    await rename(join(directory, 'header.json'), join(directory, 'away'));
    await expect(openRecordLogFiles({ directory })).rejects.toMatchObject({
      code: 'RECORDER_NOT_DURABLE',
    });
    await rename(join(directory, 'away'), join(directory, 'header.json'));
    await unlink(segmentPath(directory, 0));
    await expect(openRecordLogFiles({ directory })).rejects.toMatchObject({
      code: 'RECORDER_LOG_BROKEN',
    });
  });

  it.each(['', '{}', '{"format":"maso-record-log/2","name":"short"}\n', '[1]\n'])(
    'refuses a header of another form',
    async (text) => {
      await filled();
      await writeFile(join(directory, 'header.json'), text);
      await expect(openRecordLogFiles({ directory })).rejects.toMatchObject({
        code: 'RECORDER_LOG_BROKEN',
      });
    },
  );

  it('refuses limits that are not numbers', async () => {
    for (const options of [{ segmentBytes: Number.NaN }, { reserveBytes: -1 }]) {
      const opened = openRecordLogFiles({ directory, ...options });
      await expect(opened).rejects.toMatchObject({ code: 'RECORDER_OPTIONS_INVALID' });
    }
  });

  it('stops for good when another hand appends to, shortens or deletes its file', async () => {
    const attacks: ((path: string) => Promise<void>)[] = [
      (path) => appendFile(path, 'forged\n'),
      (path) => truncate(path, 3),
      (path) => unlink(path),
    ];
    for (const attack of attacks) {
      const own = join(directory, `log-${attacks.indexOf(attack)}`);
      const log = await openRecordLogFiles({ directory: own, reserveBytes: 0 });
      await log.append(['first'], normal);
      await attack(segmentPath(own, 0));
      for (const privileged of [false, true, false]) {
        const appended = log.append(['second'], { privileged });
        await expect(appended).rejects.toMatchObject({ code: 'RECORDER_LOG_BROKEN' });
      }
      await log.close();
    }
  });

  it('cuts off an incomplete last line at every length, and keeps what was cut', async () => {
    await filled();
    const path = await last();
    const whole = (await stat(path)).size;
    for (let cut = 1; cut <= 20; cut += 1) {
      await appendFile(path, 'an incomplete line th'.slice(0, cut));
      const log = await openRecordLogFiles({ directory, ...small });
      expect(log.size()).toBe(10);
      expect(log.tornBytes()).toBe(cut);
      await log.close();
      expect((await stat(path)).size).toBe(whole);
      const torn = await readFile(join(directory, 'torn-0000000000000010.bin'), 'utf8');
      expect(torn).toBe('an incomplete line th'.slice(0, cut));
    }
  });

  it('takes zeros near the end for a torn append, with all that follows', async () => {
    await filled();
    const path = await last();
    const tail = `\0\0\0\0 of a page that never came\n{"whole":"line"}\n`;
    await appendFile(path, tail);
    const log = await openRecordLogFiles({ directory, ...small });
    expect(log.size()).toBe(10);
    expect(log.tornBytes()).toBe(tail.length);
    await log.append(['line 10'], normal);
    await log.close();
    expect(await texts(9)).toEqual([`line 9 ${'-'.repeat(20)}`, 'line 10']);
    expect(await readFile(join(directory, 'torn-0000000000000010.bin'), 'utf8')).toBe(tail);
  });

  it('goes on after a crash between the header and the first segment', async () => {
    await (await openRecordLogFiles({ directory, ...small })).close();
    const { name } = await openRecordLogReader(directory);
    await unlink(segmentPath(directory, 0));
    const log = await openRecordLogFiles({ directory, ...small });
    expect(log.name).toBe(name);
    await log.close();
  });

  it('reads while another writes, without an incomplete line', async () => {
    const log = await openRecordLogFiles({ directory, ...small });
    await log.append(['a'], normal);
    await appendFile(segmentPath(directory, 0), 'half a li');
    expect(await texts()).toEqual(['a']);
    await log.close();
  });

  it('cuts an endless line short instead of holding it', async () => {
    await filled();
    await appendFile(await last(), `${'x'.repeat(5_000_000)}\nafter\n`);
    const lines = await texts(10);
    expect(lines).toHaveLength(2);
    expect(lines[0]?.length).toBeLessThan(2_000_000);
    expect(lines[1]).toBe('after');
  });

  it('keeps no tile that was not full when its writer ended, once a checkpoint came after it', async () => {
    await filled();
    const path = join(directory, 'tile/0/000.p');
    await mkdir(path, { recursive: true });
    for (const width of ['77', '78']) await writeFile(join(path, width), '');
    const log = await openRecordLogFiles({ directory, ...small });
    // Somebody may verify with the old checkpoint, until there is another one.
    expect(await readdir(path)).toEqual(['77', '78']);
    await log.publish('name\n78\nroot\n');
    expect(await readdir(path)).toEqual(['78']);
    await log.close();
  });

  it('lets nobody else read the log', async () => {
    await filled();
    expect((await stat(directory)).mode & 0o077).toBe(0);
    expect((await stat(await last())).mode & 0o077).toBe(0);
  });

  it('holds the reserve on disk and does not count it twice', async () => {
    await filled();
    expect((await stat(join(directory, 'reserve'))).size).toBe(4096);
    await filled().catch(() => undefined);
    expect((await stat(join(directory, 'reserve'))).size).toBe(4096);
  });
});
