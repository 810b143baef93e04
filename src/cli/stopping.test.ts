// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as passed } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const module = JSON.stringify(pathToFileURL(join(import.meta.dirname, 'stopping.ts')).href);
const own = { npm_package_name: 'maso', npm_lifecycle_event: 'maso' };
const children: ChildProcess[] = [];
/** Of the program itself, whose parent may be a shell. */
const pids: number[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const pid of pids.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it was to.
    }
  }
});

/** Resolves when the program has said that it runs; its process id, and what it says from then on. */
async function start(program: string, given: { readonly shell: boolean; readonly env?: object }) {
  const script = `import { followNpm, untilStopped, onStop } from ${module}; ${program}`;
  const node = [process.execPath, '--input-type=module', '-e', script] as const;
  const [file, ...args] = given.shell ? ['/bin/sh', '-c', '"$@"; true', 'sh', ...node] : node;
  const env = { PATH: process.env['PATH'], ...given.env };
  const child = spawn(file ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  children.push(child);
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => void (said += bytes.toString()));
  while (!said.includes('\n')) await Promise.race([once(child.stdout, 'data'), passed(10_000)]);
  const pid = Number(said.split('\n')[0]);
  pids.push(pid);
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  return { child, pid, ended, said: () => said };
}

const waits = 'const alive = setInterval(() => 0, 1e6); console.log(process.pid); await untilStopped(); clearInterval(alive); console.log("stopped");';
const slow = 'onStop(() => setTimeout(() => process.exit(7), 2_500)); setInterval(() => 0, 1e6); console.log(process.pid);';

describe('a program that is asked to stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends in order where %s comes twice, as through npm', async (signal) => {
    const { pid, ended } = await start(slow, { shell: false });
    process.kill(pid, signal);
    await passed(50);
    process.kill(pid, signal);
    expect(await ended).toEqual({ code: 7, signal: null });
  });

  it('ends at once where it is asked again later', async () => {
    const { pid, ended } = await start(slow, { shell: false });
    process.kill(pid, 'SIGINT');
    await passed(1_200);
    process.kill(pid, 'SIGINT');
    expect(await ended).toEqual({ code: null, signal: 'SIGINT' });
  });
});

describe('a program below the shell of a script', () => {
  const stopped = async (said: () => string): Promise<boolean> => {
    for (let tries = 0; tries < 100 && !said().includes('stopped'); tries += 1) await passed(20);
    return said().includes('stopped');
  };

  it.each(['maso', 'start'])('ends with it in the script %s of a clone', async (script) => {
    const env = { ...own, npm_lifecycle_event: script };
    const { child, said } = await start(`followNpm(); ${waits}`, { shell: true, env });
    child.kill('SIGTERM');
    expect(await stopped(said)).toBe(true);
  });

  it.each<[string, object]>([
    ['outside of npm', {}],
    ['in a script of somebody else, who may leave it in the background', { ...own, npm_package_name: 'theirs' }],
    ['in another script of a clone', { ...own, npm_lifecycle_event: 'test' }],
  ])('goes on without it %s', async (_, env) => {
    const { child, said, pid } = await start(`followNpm(); ${waits}`, { shell: true, env });
    child.kill('SIGTERM');
    expect(await stopped(said)).toBe(false);
    process.kill(pid, 'SIGTERM');
    expect(await stopped(said)).toBe(true);
  });
});
