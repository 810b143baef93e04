// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Forbids this process, and every one that it starts, to leave a core file when it dies: its memory
 * holds keys. True where that is so now. False where it cannot be told or done: not Linux, or no
 * `prlimit` (util-linux) where the limit was not 0 already.
 */
export function forbidCoreDumps(): boolean {
  if (coreLimit() === '0') return true;
  spawnSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' });
  return coreLimit() === '0';
}

/** The soft limit as the kernel writes it; null where it cannot be read. */
function coreLimit(): string | null {
  try {
    const line = /^Max core file size +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line?.[1] ?? null;
  } catch {
    // No /proc: nothing is known about limits here, and the caller says so.
    return null;
  }
}
