// SPDX-License-Identifier: Apache-2.0
// The verifier as an auditor gets it: a package by itself, installed where nothing else is.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import { tilePath } from '../../src/recorder/tile-path.ts';
import { drafts, smallLog } from '../faults/small-log.ts';

const count = 300;
const root = mkdtempSync(join(tmpdir(), 'maso-package-'));
const auditor = join(root, 'auditor');
const log = join(root, 'log');
let key = '';
afterAll(() => rmSync(root, { recursive: true }));

function run(program: string, args: readonly string[], directory: string) {
  const ended = spawnSync(program, args, { cwd: directory, encoding: 'utf8' });
  return { status: ended.status, said: `${ended.stdout}${ended.stderr}` };
}

beforeAll(async () => {
  const build = join(import.meta.dirname, '../../scripts/build-verifier-package.ts');
  expect(run(process.execPath, [build, join(root, 'package')], root)).toEqual({ status: 0, said: '' });
  expect(run('npm', ['pack', '--silent', join(root, 'package')], root).status).toBe(0);
  const [tarball = ''] = readdirSync(root).filter((name) => name.endsWith('.tgz'));
  mkdirSync(auditor);
  writeFileSync(join(auditor, 'package.json'), '{"private":true}');
  const installed = run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(root, tarball)], auditor);
  expect(installed.status, installed.said).toBe(0);
  key = await exportLog();
}, 120_000);

/** A log as `maso recorder export` lays it out; gives its key. */
async function exportLog(): Promise<string> {
  const { log: written, key: signer } = await smallLog(drafts(count));
  const write = (path: string, bytes: Uint8Array | string) => {
    mkdirSync(dirname(join(log, path)), { recursive: true });
    writeFileSync(join(log, path), bytes);
  };
  write('checkpoint', written.checkpoint ?? '');
  for (const [place, bytes] of written.tiles) {
    const [level = 0, index = 0, width = 0] = place.split('/').map(Number);
    write(tilePath(level, index, width), bytes);
  }
  for (let from = 0; from < count; from += 256) {
    const entries = written.lines.slice(from, from + 256)
      .flatMap((line) => [Buffer.of(line.length >> 8, line.length & 0xff), line]);
    write(tilePath('entries', from / 256, Math.min(256, count - from)), Buffer.concat(entries));
  }
  return logVerifierKey(written.name, signer.signer.publicKey);
}

describe('npx maso-verify', () => {
  it('needs no package but itself, and is small', () => {
    const packages = readdirSync(join(auditor, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(packages).toEqual(['maso-verify']);
    const own = join(auditor, 'node_modules/maso-verify');
    expect(JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))).not.toHaveProperty('dependencies');
    const files = readdirSync(own, { recursive: true, encoding: 'utf8' });
    const bytes = files.reduce((sum, file) => sum + readFileSync(join(own, file)).length, 0);
    expect(bytes).toBeLessThan(150_000);
  });

  it('verifies a directory, and names the first bad entry of another', () => {
    const verify = () => run('npx', ['--offline', 'maso-verify', log, '--key', key], auditor);
    expect(verify()).toMatchObject({ status: 0 });
    const bundle = join(log, tilePath('entries', 1, count - 256));
    const whole = readFileSync(bundle, 'latin1');
    writeFileSync(bundle, whole.replace('payments', 'paymentz'), 'latin1');
    const bad = verify();
    writeFileSync(bundle, whole, 'latin1');
    expect(bad.status).toBe(1);
    expect(bad.said.split('\n')[0]).toContain('entry 256: VERIFY_ENTRY_EDITED');
  }, 60_000);

  it('verifies what any server of static files gives', async () => {
    const server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(log, request.url ?? '')));
      } catch {
        // Not there, or a directory.
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const child = spawn(
      'npx', ['--offline', 'maso-verify', `http://127.0.0.1:${port}/`, '--key', key, '--json'],
      { cwd: auditor, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    const status = await new Promise<number | null>((done) => child.once('close', done));
    server.close();
    expect(JSON.parse(out)).toMatchObject({ ok: true, entries: count, covered: count });
    expect(status).toBe(0);
  }, 60_000);
});
