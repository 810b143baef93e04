// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const module = pathToFileURL(join(import.meta.dirname, 'core-dumps.ts')).href;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A process with a secret in memory that may leave a core file, and dies of SIGSEGV. */
function crash(before: string): { readonly files: readonly string[]; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'maso-core-'));
  folders.push(folder);
  const program = `
    import { forbidCoreDumps } from '${module}';
    ${before}
    process.kill(process.pid, 'SIGSEGV');
    setTimeout(() => {}, 5000);
  `;
  const run = spawnSync(
    'sh',
    ['-c', 'ulimit -c unlimited || exit 3; exec "$0" --input-type=module -e "$1"', process.execPath, program],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(run.signal).toBe('SIGSEGV');
  return { files: readdirSync(folder), said: run.stdout };
}

const isLinux = process.platform === 'linux';
/** Where the kernel writes the file into the folder of the process: elsewhere it cannot be looked for. */
const leavesFiles = isLinux && /^core\b/.test(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'));
const mayRaise = isLinux && /^Max core file size +\S+ +unlimited/m.test(readFileSync('/proc/self/limits', 'utf8'));

describe.skipIf(!mayRaise)('a process that holds keys', () => {
  it('dumps no core, and nothing that it starts does', () => {
    const { files, said } = crash(`
      const { spawnSync } = await import('node:child_process');
      process.stdout.write(String(forbidCoreDumps()) + ' ' +
        spawnSync('sh', ['-c', 'ulimit -c'], { encoding: 'utf8' }).stdout);
    `);
    expect(said).toBe('true 0\n');
    expect(files).toEqual([]);
  });

  it.skipIf(!leavesFiles)('would dump one otherwise', () => {
    expect(crash('').files.some((file) => file.startsWith('core'))).toBe(true);
  });
});
