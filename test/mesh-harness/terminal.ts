// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { masoProgram } from './running-mesh.ts';

/** Of util-linux, which Debian always has: gives a program a terminal of its own. */
export const hasTerminal = existsSync('/usr/bin/script');

/** Runs `maso` on a terminal of 80 columns and 24 lines; gives what it drew, and its exit code. */
export async function inTerminal(args: readonly string[]): Promise<{ readonly status: number | null; readonly drawn: string }> {
  const command = ['stty cols 80 rows 24;', process.execPath, masoProgram, ...args].join(' ');
  // With both, Node.js says so in a line of its own.
  const { NO_COLOR: _, ...withoutWish } = process.env;
  const child = spawn('/usr/bin/script', ['-q', '-e', '-c', command, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...withoutWish, TERM: 'xterm-256color', FORCE_COLOR: '1' },
  });
  let drawn = '';
  child.stdout.on('data', (text: Buffer) => (drawn += text.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, drawn };
}
