// SPDX-License-Identifier: Apache-2.0
// A recorder and witnesses in processes of their own, over HTTP; and what an operator who owns the
// log and its key, and not the witnesses, cannot do.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { openRecordLogReader } from '../../src/adapters/record-log-segments.ts';
import { httpWitness } from '../../src/adapters/witness-client-http.ts';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import { Cosigner } from '../../src/recorder/cosigner.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import { parseVerifierKey } from '../../src/verifier/checkpoint.ts';
import type { VerifierKey } from '../../src/verifier/checkpoint.ts';
import { directorySource, nodeSha256 } from '../../src/verifier/directory.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import { draft, fakeRandom, systemTimer, testKey } from '../faults/recorder-fixture.ts';

type WitnessProcess = {
  readonly child: ChildProcess;
  readonly url: string;
  readonly key: VerifierKey;
};

const maso = join(import.meta.dirname, '../../src/cli/maso.ts');
const key = testKey();
let root = '';
let children: ChildProcess[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'maso-witness-'));
});
afterEach(async () => {
  await Promise.all(children.map((child) => ended(child, 'SIGTERM')));
  children = [];
  rmSync(root, { recursive: true });
});

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill(signal);
  await exit;
}

async function witness(name: string, port = '0'): Promise<WitnessProcess> {
  const args = [maso, 'witness', join(root, name), '--log', join(root, 'log.vkey'), '--port', port, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => (errors += text.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (text: Buffer) => resolve(text.toString()));
    child.once('exit', () => reject(new Error(errors)));
  });
  const said = JSON.parse(line) as { readonly url: string; readonly verifierKey: string };
  const parsed = parseVerifierKey(said.verifierKey);
  if (parsed === null) throw new Error('The witness has no verifier key.');
  return { child, url: said.url, key: parsed };
}

/** Opens a recorder on a directory, records, closes, waits until all witnesses have answered. */
async function record(directory: string, numbers: readonly number[], witnesses: readonly WitnessProcess[]) {
  const file = await openRecordCheckpointFile({
    directory: `${directory}-checkpoints`,
    logDirectory: directory,
  });
  const log = await openRecordLogFiles({ directory, reserveBytes: 0 });
  const text = logVerifierKey(log.name, key.signer.publicKey);
  writeFileSync(join(root, 'log.vkey'), text);
  const cosigner = new Cosigner({
    log,
    clock: { nowMs: Date.now },
    logKey: key.verifierKey(log.name),
    witnesses: witnesses.map((one) => ({ key: one.key, witness: httpWitness(one.key.name, one.url) })),
    ageMaxMs: 60_000,
    keep: async (cosigned) => writeFileSync(`${directory}-cosigned`, cosigned),
    changed: () => undefined,
  });
  const recorder = await openRecorder({
    log,
    clock: { nowMs: Date.now },
    random: fakeRandom(),
    timer: systemTimer,
    signer: key.signer,
    lastCheckpoint: await file.read(),
    writeCheckpoint: file.write,
    offerCheckpoint: (signed, size) => cosigner.offer(signed, size),
    limits: { checkpointEveryMs: 5 },
  });
  for (const number of numbers) await recorder.record([draft(number)]);
  await recorder.close();
  await cosigner.idle();
  return cosigner.statuses();
}

async function verify(directory: string, witnesses: readonly WitnessProcess[], checkpoints: readonly string[]) {
  const { name } = await openRecordLogReader(directory);
  return verifyLog({
    source: await directorySource(directory),
    log: key.verifierKey(name),
    witnesses: witnesses.map((one) => one.key),
    quorum: witnesses.length,
    checkpoints,
    sha256: nodeSha256,
  });
}

async function newestOf({ url }: WitnessProcess, directory: string): Promise<string> {
  const folders = readdirSync(join(directory, 'logs'));
  const answers = await Promise.all(folders.map((folder) => fetch(`${url}/logs/${folder}/checkpoint`)));
  return (await answers[0]?.text()) ?? '';
}

describe('witnesses', () => {
  it('cosign what only grows, survive being killed, and count for whoever trusts them', async () => {
    const log = join(root, 'log');
    let one = await witness('w1');
    const two = await witness('w2');
    const first = await record(log, [1, 2, 3], [one, two]);
    expect(first.map(({ size, code }) => ({ size, code }))).toEqual([
      { size: 3, code: null },
      { size: 3, code: null },
    ]);
    await ended(one.child, 'SIGKILL');
    one = await witness('w1');
    const second = await record(log, [4, 5], [one, two]);
    expect(second.every(({ size, code }) => size === 5 && code === null)).toBe(true);
    const cosigned = readFileSync(`${log}-cosigned`, 'utf8');
    const report = await verify(log, [one, two], [cosigned]);
    expect(report).toMatchObject({ ok: true, covered: 5, findings: [] });
    expect(report.cosigned.map(({ size }) => size)).toEqual([5, 5]);
    expect(readFileSync(join(log, 'checkpoint'), 'utf8').split('\u2014')).toHaveLength(4);
    const other = await witness('w3');
    const unproven = await verify(log, [other], [cosigned]);
    expect(unproven.findings.map(({ code }) => code)).toEqual(['VERIFY_NOT_COSIGNED']);
  }, 60_000);

  it('expose a log that is put back to an older state, and refuse what goes on from there', async () => {
    const log = join(root, 'log');
    const one = await witness('w1');
    await record(log, [1, 2, 3], [one]);
    for (const part of ['', '-checkpoints', '-cosigned']) {
      cpSync(`${log}${part}`, `${join(root, 'old')}${part}`, { recursive: true });
    }
    await record(log, [4, 5, 6], [one]);
    const newest = await newestOf(one, join(root, 'w1'));
    const old = join(root, 'old');
    const itself = await verify(old, [one], [readFileSync(`${old}-cosigned`, 'utf8')]);
    expect(itself).toMatchObject({ ok: true, entries: 3 });
    const report = await verify(old, [one], [newest]);
    expect(report.findings.map(({ code }) => code)).toContain('VERIFY_TRUNCATED');
    const [status] = await record(old, [14, 15, 16, 17, 18], [one]);
    expect(status).toMatchObject({ size: 0, code: 'RECORDER_WITNESS_REFUSED' });
    expect(existsSync(join(root, 'w1/evidence'))).toBe(true);
    const forked = await verify(old, [one], [newest]);
    expect(forked.findings.map(({ code }) => code)).toContain('VERIFY_FORKED');
  }, 60_000);

  it('cosign one of two histories that are shown to two readers, so the other reader sees it', async () => {
    const mine = join(root, 'mine');
    const theirs = join(root, 'theirs');
    const one = await witness('w1');
    await record(mine, [1, 2], []);
    cpSync(mine, theirs, { recursive: true });
    cpSync(`${mine}-checkpoints`, `${theirs}-checkpoints`, { recursive: true });
    await record(mine, [3, 4], [one]);
    const [status] = await record(theirs, [13, 14], [one]);
    expect(status).toMatchObject({ code: 'RECORDER_WITNESS_REFUSED' });
    expect((await verify(mine, [one], [])).ok).toBe(true);
    const deceived = await verify(theirs, [one], []);
    expect(deceived.findings.map(({ code }) => code)).toEqual(['VERIFY_NOT_COSIGNED']);
    const shown = await verify(theirs, [one], [await newestOf(one, join(root, 'w1'))]);
    expect(shown.findings.map(({ code }) => code)).toContain('VERIFY_FORKED');
  }, 60_000);

  it('that are away cost the age of the cosignature and no entry', async () => {
    const log = join(root, 'log');
    const one = await witness('w1');
    await ended(one.child, 'SIGKILL');
    const statuses = await record(log, [1, 2, 3], [one]);
    expect(statuses).toMatchObject([{ size: 0, code: 'RECORDER_WITNESS_AWAY' }]);
    expect((await verify(log, [], [])).entries).toBe(3);
  }, 60_000);

  it('are not two under one directory, and take no other key for a log they know', async () => {
    const log = join(root, 'log');
    const one = await witness('w1');
    await record(log, [1], [one]);
    await expect(witness('w1')).rejects.toThrow(/RECORDER_LOCKED/);
    await ended(one.child, 'SIGTERM');
    const { name } = await openRecordLogReader(log);
    writeFileSync(join(root, 'log.vkey'), logVerifierKey(name, testKey().signer.publicKey));
    await expect(witness('w1')).rejects.toThrow(/WITNESS_STATE_INVALID/);
  }, 60_000);
});
