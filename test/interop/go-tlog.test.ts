// SPDX-License-Identifier: Apache-2.0
// The log, read by an implementation that nobody here wrote: Go's golang.org/x/mod/sumdb.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import { tilePath } from '../../src/recorder/tile-path.ts';
import { drafts, smallLog } from '../faults/small-log.ts';

/** Where Debian puts Go libraries (package golang-golang-x-mod-dev). */
const goPath = '/usr/share/gocode';
const hasGo =
  spawnSync('go', ['version']).status === 0 &&
  existsSync(join(goPath, 'src/golang.org/x/mod/sumdb/tlog'));
const without = hasGo ? '' : ' (left out: needs go and golang-golang-x-mod-dev)';
const root = mkdtempSync(join(tmpdir(), 'maso-go-'));
afterAll(() => rmSync(root, { recursive: true }));

const env = {
  ...process.env,
  GO111MODULE: 'off',
  GOPATH: goPath,
  GOCACHE: join(root, 'cache'),
  GOFLAGS: '',
};

async function exported(count: number): Promise<{ readonly directory: string; readonly key: string }> {
  const { log, key } = await smallLog(drafts(count));
  const directory = join(root, String(count));
  const write = (path: string, bytes: Uint8Array | string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  };
  write('checkpoint', log.checkpoint ?? '');
  for (const [place, bytes] of log.tiles) {
    const [level = 0, index = 0, width = 0] = place.split('/').map(Number);
    write(tilePath(level, index, width), bytes);
  }
  for (let from = 0; from < count; from += 256) {
    const entries = log.lines
      .slice(from, from + 256)
      .flatMap((line) => [Buffer.of(line.length >> 8, line.length & 0xff), line]);
    write(tilePath('entries', from / 256, Math.min(256, count - from)), Buffer.concat(entries));
  }
  return { directory, key: logVerifierKey(log.name, key.signer.publicKey) };
}

describe.skipIf(!hasGo)(`Go's transparency log${without}`, () => {
  it('verifies checkpoint, tiles, every entry and growth; and refuses them changed', async () => {
    const program = join(root, 'verify');
    const source = join(import.meta.dirname, 'verify.go');
    const built = spawnSync('go', ['build', '-o', program, source], { env, encoding: 'utf8' });
    expect(built.status, built.stderr).toBe(0);
    const run = (directory: string, key: string) =>
      spawnSync(program, [directory, key], { encoding: 'utf8' });
    for (const count of [1, 2, 255, 256, 257, 700]) {
      const { directory, key } = await exported(count);
      const ran = run(directory, key);
      expect(ran.stderr).toBe('');
      expect(ran.stdout).toBe(`${count} entries\n`);
    }
    const { directory, key } = await exported(300);
    for (const path of ['checkpoint', 'tile/0/000', 'tile/1/000.p/1', 'tile/entries/001.p/44']) {
      const whole = readFileSync(join(directory, path));
      const bytes = Buffer.from(whole);
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      if (path.includes('/1/')) bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(join(directory, path), bytes);
      // The root of a full tile is made again from it, so a tile above it may go unread.
      if (path !== 'tile/1/000.p/1') expect(run(directory, key).status, path).toBe(1);
      writeFileSync(join(directory, path), whole);
    }
  }, 240_000);
});
