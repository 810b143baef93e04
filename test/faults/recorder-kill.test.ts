// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { openRecordLogReader } from '../../src/adapters/record-log-segments.ts';
import { parseEntryLine } from '../../src/recorder/entry-line.ts';
import { directorySource, nodeSha256 } from '../../src/verifier/directory.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import { testKey } from './recorder-fixture.ts';

const rounds = Number(process.env['MASO_KILL_ROUNDS'] ?? (process.env['CI'] ? 50 : 10));
/** Kills of one log: each of them is verified whole after each, so that longer ones cost their square. */
const roundsPerLog = 10;
const logs = Array.from({ length: Math.ceil(rounds / roundsPerLog) }, (_, log) =>
  Math.min(roundsPerLog, rounds - log * roundsPerLog));
const writer = new URL('recorder-writer-process.ts', import.meta.url).pathname;
const compileCache = new URL('../../node_modules/.cache/maso', import.meta.url).pathname;

describe('a recorder whose process is killed', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maso-kill-'));
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const acknowledged = (): string => {
    const file = join(folder, 'acknowledged');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  /** Starts a writer and kills it so long after its first entry. */
  async function writeUntilKilled(afterMs: number): Promise<void> {
    const starts = acknowledged().split('start\n').length;
    const child = spawn(process.execPath, [writer, folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const ended = new Promise<void>((done) => child.once('exit', () => done()));
    const deadline = Date.now() + 20_000;
    while (acknowledged().split('start\n').length === starts && child.exitCode === null) {
      if (Date.now() > deadline) break;
      await new Promise((done) => setTimeout(done, 5));
    }
    await new Promise((done) => setTimeout(done, afterMs));
    child.kill('SIGKILL');
    await ended;
    expect(child.signalCode, errors).toBe('SIGKILL');
  }

  it.each(logs)(
    'loses no acknowledged entry, writes none twice and verifies, %i times in a row',
    async (inARow) => {
      const { verifierKey } = testKey(createPrivateKey(readFileSync(join(folder, 'key.pem'))));
      const logDirectory = join(folder, 'log');
      const file = await openRecordCheckpointFile({
        directory: join(folder, 'checkpoint'),
        logDirectory,
      });
      const checkpoints: string[] = [];
      let before = 0;
      let promisedInAll = 0;
      for (let round = 0; round < inARow; round += 1) {
        await writeUntilKilled(Math.random() * 150);
        const signed = await file.read();
        if (signed !== null) checkpoints.push(signed);
        const { name, read } = await openRecordLogReader(logDirectory);
        const lines = () => read(0, Number.POSITIVE_INFINITY);
        const report = await verifyLog({
          source: await directorySource(logDirectory),
          log: verifierKey(name),
          checkpoints: checkpoints.slice(-20),
          sha256: nodeSha256,
        });
        expect(report.findings.filter(({ level }) => level === 'error')).toEqual([]);
        expect(report.ok).toBe(true);
        expect(report.entries).toBeGreaterThanOrEqual(before);
        before = report.entries;
        const recorded = new Map<string, number>();
        for await (const line of lines()) {
          const entry = parseEntryLine(line);
          if (entry === null) throw new Error('A line is no entry.');
          expect(recorded.has(entry.id)).toBe(false);
          recorded.set(entry.id, entry.sequence);
        }
        const whole = acknowledged().split('\n').slice(0, -1);
        const promised = whole.filter((line) => line !== 'start').map((line) => line.split(' '));
        const isLost = ([id = '', at]: readonly string[]) => recorded.get(id) !== Number(at);
        const lost = promised.filter(isLost);
        expect(lost).toEqual([]);
        promisedInAll = promised.length;
      }
      // A round may end before its first acknowledgement; all of them together do not.
      expect(promisedInAll).toBeGreaterThan(0);
    },
    30_000 + roundsPerLog * 5_000,
  );

  it('leaves no lock behind, and holds it while it lives', async () => {
    const directory = join(folder, 'log');
    const killed = writeUntilKilled(300);
    while (acknowledged() === '') await new Promise((done) => setTimeout(done, 5));
    const second = openRecordLogFiles({ directory });
    await expect(second).rejects.toMatchObject({ code: 'RECORDER_LOCKED' });
    await killed;
    const log = await openRecordLogFiles({ directory });
    expect(log.size()).toBeGreaterThan(0);
    await log.close();
  });
});
