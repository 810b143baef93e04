// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRecordCheckpointFile } from './record-checkpoint-file.ts';

describe('the file of the checkpoint', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'maso-checkpoint-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it.each(['log', 'log/heads', 'log/../log', 'log/..heads'])(
    'refuses %s as its directory beside the log directory log',
    async (directory) => {
      const opened = openRecordCheckpointFile({
        directory: join(root, directory),
        logDirectory: join(root, 'log'),
      });
      await expect(opened).rejects.toMatchObject({ code: 'RECORDER_CHECKPOINT_MISPLACED' });
    },
  );

  it('refuses a link that leads into the log directory', async () => {
    await mkdir(join(root, 'log/heads'), { recursive: true });
    await symlink(join(root, 'log/heads'), join(root, 'outside'));
    const opened = openRecordCheckpointFile({
      directory: join(root, 'outside'),
      logDirectory: join(root, 'log'),
    });
    await expect(opened).rejects.toMatchObject({ code: 'RECORDER_CHECKPOINT_MISPLACED' });
  });

  it('refuses a file that is too large to be a checkpoint', async () => {
    const logDirectory = join(root, 'log');
    const file = await openRecordCheckpointFile({ directory: join(root, 'heads'), logDirectory });
    await writeFile(file.path, 'x'.repeat(20_000));
    await expect(file.read()).rejects.toMatchObject({ code: 'RECORDER_CHECKPOINT_INVALID' });
  });

  it('gives back the checkpoint written last, and leaves no other file', async () => {
    const logDirectory = join(root, 'log');
    const file = await openRecordCheckpointFile({ directory: join(root, 'log-heads'), logDirectory });
    expect(await file.read()).toBeNull();
    await file.write('one\n');
    await file.write('two\n');
    const again = await openRecordCheckpointFile({ directory: join(root, 'log-heads'), logDirectory });
    expect(await again.read()).toBe('two\n');
    expect(await readdir(join(root, 'log-heads'))).toEqual(['checkpoint']);
  });
});
