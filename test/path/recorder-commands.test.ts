// SPDX-License-Identifier: Apache-2.0
// What an auditor types, on a log as a recorder leaves it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import { directorySource } from '../../src/verifier/directory.ts';
import { verifyProof } from '../../src/verifier/proof.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import { draft, fakeClock, fakeRandom, systemTimer, testKey, ulid } from '../faults/recorder-fixture.ts';

const entries = 600;
const key = testKey();
let root = '';
let logName = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maso-commands-'));
  const logDirectory = join(root, '.maso/log');
  const file = await openRecordCheckpointFile({ directory: join(root, '.maso/checkpoints'), logDirectory });
  const log = await openRecordLogFiles({ directory: logDirectory, segmentBytes: 60_000, reserveBytes: 0 });
  logName = log.name;
  writeFileSync(join(root, '.maso/checkpoints/recorder.vkey'), logVerifierKey(log.name, key.signer.publicKey));
  const recorder = await openRecorder({
    log,
    clock: fakeClock(),
    random: fakeRandom(),
    timer: systemTimer,
    signer: key.signer,
    lastCheckpoint: null,
    writeCheckpoint: file.write,
  });
  await Promise.all(Array.from({ length: entries }, (_, at) => recorder.record([draft(at)])));
  await recorder.close();
});
afterAll(() => rmSync(root, { recursive: true }));

async function run(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  let exit = -1;
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), directory: root };
  const program = await buildProgram(io, (code) => (exit = code));
  try {
    await program.parseAsync(['node', 'maso', ...args, '--state', join(root, '.maso')]);
  } catch (failure) {
    if (!(failure instanceof CommanderError)) throw failure;
    exit = 2;
  }
  return { out, err, exit };
}

describe('an auditor', () => {
  it('cannot prove an entry that no checkpoint covers', async () => {
    for (const sequence of ['600', '-1', 'x']) {
      await expect(run('recorder', 'prove', sequence)).rejects.toMatchObject({ code: 'RECORDER_PROOF_RANGE' });
    }
  });

  it('proves one entry with two small files', async () => {
    expect((await run('recorder', 'prove', '257', '--out', 'one')).exit).toBe(0);
    const entry = readFileSync(join(root, 'one.json'));
    const proof = readFileSync(join(root, 'one.tlog-proof'), 'utf8');
    const report = await verifyProof({ proof, entry, log: key.verifierKey(logName) });
    expect(report).toMatchObject({ ok: true, index: 257, size: entries });
  });

  it('exports a log that verifies by its tiles alone', async () => {
    expect((await run('recorder', 'export', 'public')).exit).toBe(0);
    const source = await directorySource(join(root, 'public'));
    const report = await verifyLog({ source, log: key.verifierKey(logName) });
    expect(report).toMatchObject({ ok: true, entries, covered: entries, findings: [] });
  });

  it.skipIf(!existsSync('/proc/self'))('is told at once of an export to where no folder can be made', () => {
    const cli = join(import.meta.dirname, '../../src/cli/maso.ts');
    const asked = ['recorder', 'export', '/proc/maso/log', '--state', join(root, '.maso')];
    const { stderr, status } = spawnSync(process.execPath, [cli, ...asked], { encoding: 'utf8', timeout: 30_000 });
    expect(stderr).toMatch(/^maso: CONTROL_FILE_UNUSABLE: \/proc\/maso cannot be used: ENOENT\. \(.+\)$/m);
    expect(status).toBe(1);
  });

  it('is refused an export that would not be the log of the checkpoint', async () => {
    const segment = join(root, '.maso/log/segment-0000000000000000.log');
    const whole = readFileSync(segment, 'utf8');
    writeFileSync(segment, whole.replace('payments', 'paymentz'));
    const exported = run('recorder', 'export', 'forged');
    await expect(exported).rejects.toMatchObject({ code: 'RECORDER_FORKED' });
    writeFileSync(segment, whole);
  });

  it('sees the last entries, and those that match', async () => {
    const tail = await run('recorder', 'tail', '-n', '2', '--json');
    expect(tail.out.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([598, 599]);
    const query = await run('recorder', 'query', '--message', ulid(2_000_300), '--json');
    expect(query.out.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([300]);
    expect((await run('recorder', 'query', '--since', 'soon')).exit).toBe(2);
    const why = await run('why', ulid(2_000_300), '--json');
    expect(JSON.parse(why.out[0] ?? '')).toMatchObject({ ok: true, steps: [{ id: ulid(2_000_300) }] });
    expect(await run('why', 'nothing')).toMatchObject({ exit: 1 });
    expect((await run('recorder', 'reach', ulid(2_000_300))).out[0]).toContain(ulid(2_000_300));
  });

  it('traces a request by its id, or by the beginning of one, without reading the whole log', async () => {
    const whole = await run('trace', ulid(1_000_000), '--json');
    expect(whole.err).toEqual([]);
    const trace = JSON.parse(whole.out[0] ?? '');
    expect(trace).toMatchObject({ trace_id: ulid(1_000_000), maso: { cut_off: false } });
    expect(trace.maso.steps).toHaveLength(entries);
    const prefix = ulid(1_000_000).slice(0, 22);
    expect(JSON.parse((await run('trace', prefix, '--json')).out[0] ?? '').trace_id).toBe(trace.trace_id);
    const one = JSON.parse((await run('trace', ulid(2_000_300), '--json')).out[0] ?? '');
    expect(one.trace_id).toBe(trace.trace_id);
    expect((await run('trace', 'nothing-like-it', '--json')).exit).toBe(1);
  });

  it('asks what a task cost by any id that a trace takes', async () => {
    const [task, message] = [ulid(1_000_000), ulid(2_000_300)];
    for (const id of [task, task.slice(0, 22), message]) {
      expect(JSON.parse((await run('ledger', id, '--json')).out[0] ?? ''), id).toMatchObject({ task });
    }
    for (const [id, code] of [['nothing-like-it', 'RECORDER_TRACE_UNKNOWN'], [task.slice(0, 7), 'RECORDER_TRACE_UNKNOWN']]) {
      expect(await run('ledger', id ?? '', '--json')).toMatchObject({ exit: 1, out: [JSON.stringify({ code })] });
    }
  });

  it('verifies with the state directory alone', async () => {
    const verified = await run('recorder', 'verify', '--json');
    expect(JSON.parse(verified.out[0] ?? '')).toMatchObject({ ok: true, covered: entries });
    expect(verified.exit).toBe(0);
  });
});
