// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRecordHeadFile } from './record-head-file.ts';

describe('the file of the signed head', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'maso-head-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it.each(['log', 'log/heads', 'log/../log', 'log/..heads'])(
    'refuses %s as its directory beside the log directory log',
    async (directory) => {
      const opened = openRecordHeadFile({
        directory: join(root, directory),
        logDirectory: join(root, 'log'),
      });
      await expect(opened).rejects.toMatchObject({ code: 'RECORDER_HEAD_MISPLACED' });
    },
  );

  it('refuses a link that leads into the log directory', async () => {
    await mkdir(join(root, 'log/heads'), { recursive: true });
    await symlink(join(root, 'log/heads'), join(root, 'outside'));
    const opened = openRecordHeadFile({
      directory: join(root, 'outside'),
      logDirectory: join(root, 'log'),
    });
    await expect(opened).rejects.toMatchObject({ code: 'RECORDER_HEAD_MISPLACED' });
  });

  it('refuses a file that is too large to be a head', async () => {
    const logDirectory = join(root, 'log');
    const file = await openRecordHeadFile({ directory: join(root, 'heads'), logDirectory });
    await writeFile(file.path, 'x'.repeat(10_000));
    await expect(file.read()).rejects.toMatchObject({ code: 'RECORDER_HEAD_INVALID' });
  });

  it('gives back the head written last, and leaves no other file', async () => {
    const logDirectory = join(root, 'log');
    const file = await openRecordHeadFile({ directory: join(root, 'log-heads'), logDirectory });
    expect(await file.read()).toBeNull();
    await file.write('one.two.three');
    await file.write('four.five.six');
    const again = await openRecordHeadFile({ directory: join(root, 'log-heads'), logDirectory });
    expect(await again.read()).toBe('four.five.six');
    expect(await readdir(join(root, 'log-heads'))).toEqual(['recorder-head.jws']);
  });
});
