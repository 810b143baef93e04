// SPDX-License-Identifier: Apache-2.0
// Retention of a log with years of entries in it: what goes, what stays, and what nobody can hide.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadOrCreateOperatorKey } from '../../src/adapters/operator-keys.ts';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { openRecordLogReader } from '../../src/adapters/record-log-segments.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { nodeDirectories } from '../../src/process/directories.ts';
import { applyPruning } from '../../src/process/prune.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import { ed25519Signer } from '../../src/recorder/signed-note.ts';
import { parseVerifierKey } from '../../src/verifier/checkpoint.ts';
import { directorySource, nodeSha256 } from '../../src/verifier/directory.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import type { VerifyReport } from '../../src/verifier/verify.ts';
import { draft, fakeClock, fakeRandom, systemTimer, ulid } from '../faults/recorder-fixture.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { MeshFolder } from '../mesh-harness/running-mesh.ts';

const dayMs = 86_400_000;
const perGroup = 30;
/** Name, days ago, risk of one entry of the task; `null` is no task. */
const groups = [
  ['low-old', 100, 'LOW'], ['high-young', 100, 'HIGH'], ['low-held', 95, 'LOW'],
  ['high-old', 1100, 'HIGH'], ['critical', 1099, 'CRITICAL'], ['low-young', 80, 'LOW'],
] as const;
const taskOf = (name: string): string => ulid(900 + groups.findIndex(([one]) => one === name));

describe('retention', () => {
  let folder: MeshFolder;
  let mesh: MeshInProcess;
  let log = '';

  beforeAll(async () => {
    const people = makePeople();
    const files = attackMesh(people);
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml': (files['security_mesh.yaml'] ?? '').replace('development: false', 'development: true'),
    });
    const jwk = JSON.stringify(people.alice.privateKey.export({ format: 'jwk' }));
    writeFileSync(join(folder.directory, 'alice.jwk'), jwk, { mode: 0o600 });
    ({ log } = nodeDirectories(folder.state));
    await fill();
    mesh = await MeshInProcess.start(folder, []);
  }, 60_000);
  afterAll(async () => {
    await mesh?.close();
    await folder?.remove();
  });

  /** The log as a node left it that ran for years. */
  async function fill(): Promise<void> {
    const directories = nodeDirectories(folder.state);
    mkdirSync(directories.node, { recursive: true });
    const key = await loadOrCreateOperatorKey(join(directories.node, 'recorder.jwk'));
    const file = await openRecordCheckpointFile({
      directory: directories.checkpoints, logDirectory: log,
    });
    const clock = fakeClock();
    const recorder = await openRecorder({
      log: await openRecordLogFiles({ directory: log, segmentBytes: 8000, reserveBytes: 0 }),
      clock, random: fakeRandom(), timer: systemTimer, signer: ed25519Signer(key.privateKey),
      lastCheckpoint: null, writeCheckpoint: file.write,
    });
    let number = 0;
    for (const [name, daysAgo, risk] of groups.toSorted((a, b) => b[1] - a[1])) {
      clock.set(Date.now() - daysAgo * dayMs);
      const entries: EntryDraft[] = [];
      for (let at = 0; at < perGroup; at += 1) {
        const detail = { from: 'desk', to: 'planner', ...(at === 20 ? { risk } : {}) };
        entries.push(draft(++number, { task: at === 10 ? null : taskOf(name), detail }));
      }
      for (const entry of entries) await recorder.record([entry]);
    }
    await recorder.close();
  }

  async function run(...args: readonly string[]) {
    const out: string[] = [];
    let exit = -1;
    const io = {
      out: (line: string) => out.push(line), err: () => undefined, directory: folder.directory,
    };
    await (await buildProgram(io, (code) => (exit = code))).parseAsync(
      ['node', 'maso', ...args, '--state', folder.state]);
    return { out: out.join('\n'), exit };
  }
  const signed = (...args: readonly string[]) => run(
    ...args, '--as', 'alice', '--key', join(folder.directory, 'alice.jwk'), '--reason', 'yearly', '--json');

  async function verify(directory = log): Promise<VerifyReport> {
    const { checkpoints } = nodeDirectories(folder.state);
    const key = parseVerifierKey(readFileSync(join(checkpoints, 'recorder.vkey'), 'utf8'));
    if (key === null) throw new Error('The log has no key.');
    const kept = readFileSync(join(checkpoints, 'checkpoint'), 'utf8');
    return verifyLog({
      source: await directorySource(directory), log: key, checkpoints: [kept], sha256: nodeSha256,
    });
  }
  const codesOf = ({ findings }: VerifyReport) =>
    [...new Set(findings.filter(({ level }) => level === 'error').map(({ code }) => code))];

  it('says what is due and takes nothing, with --dry-run', async () => {
    const before = await verify();
    expect(before).toMatchObject({ ok: true, pruned: 0 });
    const told = JSON.parse((await signed('recorder', 'prune', '--dry-run')).out);
    expect(told).toMatchObject({ pruned: 0, held: 0 });
    expect(told.due).toMatchObject({ MEDIUM: 0, HIGH: perGroup - 1, CRITICAL: 0 });
    expect(told.due.LOW).toBeGreaterThanOrEqual(2 * (perGroup - 1) - 8);
    expect((await verify()).pruned).toBe(0);
  });

  it('is refused for a plan that nobody signed, or that reaches into what is being written', async () => {
    const { body } = await folder.control('POST', '/v1/recorder/orders', {
      signed: 'x.y.z', attached: { at: 1, retentionDays: {}, ranges: [[0, 1]] },
    });
    expect(body).toMatchObject({ code: 'IDENTITY_RECORDER_ORDER_MALFORMED' });
  });

  it('leaves what is held, young, in a dangerous task or in none, and every proof', async () => {
    const hold = JSON.parse((await signed('recorder', 'hold', taskOf('low-held'))).out);
    expect((await run('recorder', 'query', '--task', taskOf('low-old'), '--json')).out).not.toBe('');
    const told = JSON.parse((await signed('recorder', 'prune')).out);
    expect(told.held).toBeGreaterThan(20);
    expect(told.pruned).toBe(told.entries);
    expect(told.due.LOW).toBeGreaterThan(20);
    expect(told.due.HIGH).toBe(perGroup - 1);
    const report = await verify();
    expect(codesOf(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, pruned: told.pruned });
    expect(report.prunedUnder).toMatchObject([{ operator: 'alice', reason: 'yearly', entries: told.pruned }]);
    const left = async (name: string): Promise<number> =>
      (await run('recorder', 'query', '--task', taskOf(name), '--json')).out.split('\n')
        .filter((line) => line !== '').length;
    expect(await left('high-old')).toBe(0);
    expect(await left('critical')).toBe(perGroup - 1);
    expect(await left('high-young')).toBe(perGroup - 1);
    expect(await left('low-held')).toBe(perGroup - 1);
    expect(await left('low-young')).toBe(perGroup - 1);
    const texts = segments().map((path) => readFileSync(path, 'utf8')).join('');
    expect(texts).not.toContain(taskOf('high-old'));
    const again = JSON.parse((await signed('recorder', 'prune')).out);
    expect(again).toMatchObject({ pruned: 0, entries: 0 });
    await signed('recorder', 'release', hold.order);
    const freed = JSON.parse((await signed('recorder', 'prune')).out);
    expect(freed.pruned).toBeGreaterThan(20);
    expect(await verify()).toMatchObject({ ok: true, pruned: told.pruned + freed.pruned });
  }, 60_000);

  it('lets the recorder start again, and the log be exported and traced', async () => {
    const before = await verify();
    await mesh.close();
    mesh = await MeshInProcess.start(folder, []);
    expect(await verify()).toMatchObject({ ok: true, pruned: before.pruned });
    expect((await run('recorder', 'export', 'public')).exit).toBe(0);
    const exported = await verify(join(folder.directory, 'public'));
    expect(exported).toMatchObject({ ok: true, pruned: before.pruned });
    expect((await run('trace', taskOf('high-young'), '--json')).exit).toBe(0);
  }, 60_000);

  it('cannot be pretended: no record, a forged hash, a record behind the checkpoint', async () => {
    const copy = join(folder.directory, 'copy');
    const fresh = (): void => {
      rmSync(copy, { recursive: true, force: true });
      cpSync(log, copy, { recursive: true });
    };
    fresh();
    const reader = await openRecordLogReader(log);
    const last = await reader.lastSegmentFirst();
    // Whoever can write the files takes out an entry that nobody ordered to go.
    let kept = -1;
    let position = 0;
    for await (const line of reader.read(0, last)) {
      if (!String(line).startsWith('{"pruned"')) kept = position;
      position += 1;
    }
    expect(await applyPruning(copy, [[kept, kept + 1]])).toBe(1);
    const hidden = await verify(copy);
    expect(hidden.findings).toContainEqual(
      { code: 'VERIFY_PRUNED_UNRECORDED', sequence: kept, level: 'error' });
    const said = segmentsOf(copy).at(-1) ?? '';
    const lines = readFileSync(said, 'utf8').split('\n').filter((line) => line !== '');
    const { sequence } = JSON.parse(lines.at(-1) ?? '{}');
    const record = JSON.parse(lines.find((line) => line.includes('record.pruned')) ?? '{}');
    const forged = {
      ...record, id: 'order.forged.0', sequence: sequence + 1, recordedAt: Date.now(),
      detail: { ...record.detail, ranges: [[kept, kept + 1]] },
    };
    writeFileSync(said, `${lines.join('\n')}\n${JSON.stringify(forged)}\n`);
    expect(codesOf(await verify(copy))).toContain('VERIFY_PRUNED_UNRECORDED');
    fresh();
    const pruned = segmentsOf(copy).find((path) => readFileSync(path, 'utf8').includes('"pruned"')) ?? '';
    const text = readFileSync(pruned, 'utf8');
    for (const [what, changed] of [
      ['another hash', text.replace(/"pruned":"..../, '"pruned":"AAAA')],
      ['one too many', text.replace(/(\{"pruned":"[^"]+"\}\n)/, '$1$1')],
      ['one too few', text.replace(/\{"pruned":"[^"]+"\}\n/, '')],
      ['an entry in its place', text.replace(/\{"pruned":"[^"]+"\}/, lines[0] ?? '')],
    ] as const) {
      writeFileSync(pruned, changed);
      expect((await verify(copy)).ok, what).toBe(false);
    }
  }, 60_000);

  const segments = () => segmentsOf(log);
  const segmentsOf = (directory: string): readonly string[] =>
    readdirSync(directory).filter((file) => file.startsWith('segment-')).sort()
      .map((file) => join(directory, file));
});
