// SPDX-License-Identifier: Apache-2.0
// The verifier's page in a real browser, over a log as a recorder leaves it and as it is exported.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifierPage } from '../../scripts/build-verifier-page.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import { draft, fakeClock, fakeRandom, systemTimer, testKey } from '../faults/recorder-fixture.ts';

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .find((path) => existsSync(path));
const without = program === undefined ? ' (skipped: no chromium on this machine)' : '';

describe.skipIf(program === undefined)(`the verifier's page${without}`, () => {
  const key = testKey();
  let root = '';
  let log = '';
  let verifierKey = '';
  let browser: Browser;
  let page: Page;
  const asked: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'maso-page-'));
    log = join(root, 'log');
    const files = await openRecordLogFiles({ directory: log, segmentBytes: 20_000, reserveBytes: 0 });
    verifierKey = logVerifierKey(files.name, key.signer.publicKey);
    const recorder = await openRecorder({
      log: files, clock: fakeClock(), random: fakeRandom(), timer: systemTimer, signer: key.signer,
      lastCheckpoint: null,
      writeCheckpoint: async (signed) => writeFileSync(join(root, 'kept'), signed),
    });
    // Several appends, so that there are several files.
    for (let from = 0; from < 600; from += 50) {
      await recorder.record(Array.from({ length: 50 }, (_, at) => draft(from + at)));
    }
    await recorder.close();
    writeFileSync(join(root, 'verifier.html'), await verifierPage());
    browser = await chromium.launch({
      ...(program === undefined ? {} : { executablePath: program }), args: ['--no-sandbox'],
    });
    page = await browser.newPage();
    page.on('request', (request) => asked.push(request.url()));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function verify(directory: string, under = verifierKey): Promise<{ state: string; text: string }> {
    await page.goto(pathToFileURL(join(root, 'verifier.html')).href);
    await page.setInputFiles('#files', directory);
    await page.setInputFiles('#checkpoints', join(root, 'kept'));
    await page.fill('#key', under);
    await page.click('#verify');
    const output = page.locator('output[data-state=good], output[data-state=bad]');
    await output.waitFor({ timeout: 30_000 });
    return {
      state: (await output.getAttribute('data-state')) ?? '',
      text: (await output.textContent()) ?? '',
    };
  }

  it('verifies a recorder\'s own directory, and asks nobody for anything', async () => {
    expect(await verify(log)).toMatchObject({ state: 'good' });
    expect((await verify(log)).text).toContain('600 entries, 600 of them under a signed checkpoint');
    expect(asked.filter((url) => !url.startsWith('file:'))).toEqual([]);
  }, 120_000);

  it('names what was done to a log, and whose key it is not', async () => {
    const copy = join(root, 'copy');
    cpSync(log, copy, { recursive: true });
    const [, second = ''] = readdirSync(copy).filter((file) => file.startsWith('segment-')).sort();
    const text = readFileSync(join(copy, second), 'utf8');
    writeFileSync(join(copy, second), text.replace('payments', '<b>pay</b>'));
    const edited = await verify(copy);
    expect(edited.state).toBe('bad');
    expect(edited.text).toContain('VERIFY_ENTRY_EDITED');
    rmSync(join(copy, second));
    expect((await verify(copy)).text).toContain('VERIFY_ENTRY_REMOVED');
    const stranger = logVerifierKey('log-of-somebody-else-1234', testKey().signer.publicKey);
    expect(await verify(log, stranger)).toMatchObject({ state: 'bad' });
    expect((await verify(log, 'nothing')).text).toContain('VERIFY_SOURCE_UNREADABLE');
  }, 120_000);
});
