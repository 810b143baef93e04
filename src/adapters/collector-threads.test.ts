// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** In a process of its own: what is lowered stays lowered. */
const program = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { getPriority } from 'node:os';
  import { letOthersRunFirst } from '${join(import.meta.dirname, 'collector-threads.ts')}';
  const heeding = letOthersRunFirst();
  const threads = existing();
  function existing() {
    return readdirSync('/proc/self/task').map((thread) => ({
      name: readFileSync('/proc/self/task/' + thread + '/comm', 'utf8').trim(),
      priority: getPriority(Number(thread)),
    }));
  }
  console.log(JSON.stringify({ heeding, threads, main: getPriority() }));
`;

describe.skipIf(!existsSync('/proc/self/task'))('threads of the engine', () => {
  it('run behind everything else, and the thread that carries messages does not', () => {
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    const { heeding, threads, main } = JSON.parse(ran.stdout) as {
      heeding: number; threads: { name: string; priority: number }[]; main: number;
    };
    const engine = threads.filter(({ name }) => name === 'V8Worker');
    expect(engine.length).toBeGreaterThan(0);
    expect([heeding, new Set(engine.map(({ priority }) => priority))]).toEqual([engine.length, new Set([19])]);
    const others = threads.filter(({ name }) => name !== 'V8Worker');
    expect(new Set(others.map(({ priority }) => priority))).toEqual(new Set([main]));
  });
});
