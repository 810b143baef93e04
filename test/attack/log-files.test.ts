// SPDX-License-Identifier: Apache-2.0
// Everything that somebody who can write the directory of a log may do to its files, against the
// verifier with the recorder's key and a checkpoint that was kept elsewhere.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { openRecordLogReader } from '../../src/adapters/record-log-segments.ts';
import { logVerifierKey } from '../../src/recorder/checkpoint.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import { VerifierError } from '../../src/verifier/codes.ts';
import { directorySource, nodeSha256 } from '../../src/verifier/directory.ts';
import { filesSource } from '../../src/verifier/files.ts';
import { tiledSource } from '../../src/verifier/source.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import type { VerifyReport } from '../../src/verifier/verify.ts';
import { draft, fakeClock, fakeRandom, systemTimer, testKey } from '../faults/recorder-fixture.ts';

const entries = 6;
const key = testKey();
let root = '';
let log = '';
let name = '';
let checkpoint = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maso-log-files-'));
  log = join(root, 'log');
  await write(log, join(root, 'checkpoints'), [0, entries]);
  checkpoint = readFileSync(join(root, 'checkpoints/checkpoint'), 'utf8');
  ({ name } = await openRecordLogReader(log));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Records entries with the numbers from the first up to the second, several to a segment. */
async function write(directory: string, checkpoints: string, numbers: readonly [number, number]) {
  const file = await openRecordCheckpointFile({ directory: checkpoints, logDirectory: directory });
  const files = await openRecordLogFiles({ directory, segmentBytes: 800, reserveBytes: 0 });
  const recorder = await openRecorder({
    log: files,
    clock: fakeClock(),
    random: fakeRandom(),
    timer: systemTimer,
    signer: key.signer,
    lastCheckpoint: await file.read(),
    writeCheckpoint: file.write,
  });
  for (let at = numbers[0]; at < numbers[1]; at += 1) await recorder.record([draft(at)]);
  await recorder.close();
}

async function verify(directory: string, checkpoints = [checkpoint]): Promise<VerifyReport> {
  const source = await directorySource(directory);
  const own = directory === log ? name : (await openRecordLogReader(directory)).name;
  return verifyLog({ source, log: key.verifierKey(own), checkpoints, sha256: nodeSha256 });
}

/** The files that say something: not the lock, and no space held in reserve. */
function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((file) => join(directory, file))
    .filter((file) => statSync(file).isFile() && !/writer\.lock|reserve$/.test(file));
}

/** Changes one file of the log for as long as it is looked at. */
async function withFile(path: string, bytes: Uint8Array | null, look: () => Promise<void>) {
  const whole = readFileSync(path);
  if (bytes === null) rmSync(path);
  else writeFileSync(path, bytes);
  await look();
  writeFileSync(path, whole);
}

type Files = ReadonlyMap<string, Uint8Array>;

/** The files by their paths, as a page of a browser has them: what is tried by the thousand costs no disk. */
function filesIn(directory: string): Files {
  return new Map(filesOf(directory).map((path) => [relative(directory, path), readFileSync(path)]));
}

/** Whether they pass; a log that cannot even be read does not. */
async function passes(files: Files, checkpoints = [checkpoint]): Promise<boolean> {
  const listed = [...files].map(([path, bytes]) =>
    [path, { read: async (from: number, to: number) => bytes.subarray(from, to) }] as const);
  const verified = async () => verifyLog({
    source: await filesSource(new Map(listed)),
    log: key.verifierKey(name),
    checkpoints,
    sha256: nodeSha256,
    // What it would remember of a longer log takes most of the time of so short a one.
    idsMax: 100,
  });
  const report = await verified().catch((failure: unknown) => {
    if (failure instanceof VerifierError) return { ok: false };
    throw failure;
  });
  return report.ok;
}

const segmentsIn = (files: Files): readonly string[] =>
  [...files.keys()].filter((path) => path.startsWith('segment-')).sort();

const codes = ({ findings }: VerifyReport) => findings.map(({ code }) => code);

describe('the files of a log', () => {
  it('verify as they were written', async () => {
    expect(await verify(log)).toMatchObject({ ok: true, entries, covered: entries, findings: [] });
    expect(filesOf(log).map((file) => relative(log, file)).filter((file) => file.startsWith('seg')).length)
      .toBeGreaterThan(2);
  });

  it('are refused with any byte of any of them flipped', async () => {
    const files = filesIn(log);
    expect(await passes(files)).toBe(true);
    for (const [path, whole] of files) {
      for (let at = 0; at < whole.length; at += 1) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        expect(await passes(new Map([...files, [path, bytes]])), `${path} at ${at}`).toBe(false);
      }
    }
  }, 120_000);

  it('are refused with any of them cut off at any length, or gone', async () => {
    const files = filesIn(log);
    for (const [path, whole] of files) {
      for (let left = 0; left < whole.length; left += 1) {
        const cut = new Map([...files, [path, whole.subarray(0, left)]]);
        expect(await passes(cut), `${path} cut to ${left}`).toBe(false);
      }
      const gone = new Map(files);
      gone.delete(path);
      // Tiles of earlier sizes may go; a checkpoint that was kept elsewhere stands in for its own.
      const mayGo = (/\.p\/\d+$/.test(path) && !path.endsWith(`.p/${entries}`)) || path === 'checkpoint';
      expect(await passes(gone), `${path} gone`).toBe(mayGo);
    }
  }, 120_000);

  it('are refused with the log cut off at any of its bytes and all that follows gone', async () => {
    const files = filesIn(log);
    const segments = segmentsIn(files);
    for (const [at, last] of segments.slice(0, -1).entries()) {
      const kept = new Map(files);
      for (const path of segments.slice(at + 1)) kept.delete(path);
      const whole = files.get(last) ?? Buffer.alloc(0);
      for (let left = 0; left < whole.length; left += 1) {
        const cut = new Map([...kept, [last, whole.subarray(0, left)]]);
        expect(await passes(cut), `${last} cut to ${left}`).toBe(false);
      }
      expect(await passes(kept), `all after ${last}`).toBe(false);
    }
  }, 120_000);

  it('are refused with any two of them exchanged', async () => {
    const files = [...filesIn(log)];
    for (const [at, [one, first]] of files.entries()) {
      for (const [two, second] of files.slice(at + 1)) {
        const exchanged = new Map([...files, [one, second], [two, first]]);
        expect(await passes(exchanged), `${one} and ${two}`).toBe(false);
      }
    }
  }, 120_000);

  it('are read from a disk as they are from memory, each of them changed, cut off and gone', async () => {
    for (const file of filesOf(log)) {
      const path = relative(log, file);
      const whole = readFileSync(file);
      const flipped = Buffer.from(whole);
      const middle = whole.length >> 1;
      flipped[middle] = (flipped[middle] ?? 0) ^ 1;
      for (const bytes of [flipped, whole.subarray(0, middle), whole.subarray(0, 0), null]) {
        const files = new Map([...filesIn(log), [path, bytes ?? whole]]);
        if (bytes === null) files.delete(path);
        const expected = await passes(files);
        await withFile(file, bytes, async () => {
          const report = await verify(log).catch((failure: unknown) => failure);
          if (expected) expect(report, path).toMatchObject({ ok: true });
          else expect(report, path).not.toMatchObject({ ok: true });
        });
      }
    }
  }, 60_000);

  it('verify also when a recorder opened them and was killed before its first checkpoint', async () => {
    const copy = join(root, 'opened');
    await write(copy, join(root, 'opened-checkpoints'), [0, 300]);
    const kept = () => readFileSync(join(root, 'opened-checkpoints/checkpoint'), 'utf8');
    await (await openRecordLogFiles({ directory: copy, reserveBytes: 0 })).close();
    expect(await verify(copy, [kept()])).toMatchObject({ ok: true, covered: 300, findings: [] });
    // What a power failure left of unfinished tiles is gone with the next checkpoint.
    writeFileSync(join(copy, 'tile/0/001.p/7'), Buffer.alloc(7 * 32, 1));
    expect(codes(await verify(copy, [kept()]))).toEqual(['VERIFY_TILE_WRONG']);
    await write(copy, join(root, 'opened-checkpoints'), [300, 302]);
    expect(await verify(copy, [kept()])).toMatchObject({ ok: true, covered: 302, findings: [] });
    expect(readdirSync(join(copy, 'tile/0/001.p')).sort()).toContain('46');
  });

  it('are refused with two segments exchanged', async () => {
    const [first = '', second = ''] = filesOf(log).filter((file) => /segment-/.test(file));
    const bytes = readFileSync(first);
    await withFile(first, readFileSync(second), async () => {
      await withFile(second, bytes, async () => {
        expect(codes(await verify(log))).toContain('VERIFY_ENTRY_REORDERED');
      });
    });
  });

  it('are refused when the directory is put back to an older, consistent state', async () => {
    const copy = join(root, 'older');
    await write(copy, join(root, 'older-checkpoints'), [0, 0]);
    const older = join(root, 'older-state');
    await write(copy, join(root, 'older-checkpoints'), [0, 5]);
    cpSync(copy, older, { recursive: true });
    await write(copy, join(root, 'older-checkpoints'), [5, 9]);
    const kept = readFileSync(join(root, 'older-checkpoints/checkpoint'), 'utf8');
    expect(await verify(older, [])).toMatchObject({ ok: true, entries: 5 });
    expect(codes(await verify(older, [kept]))).toEqual(['VERIFY_TRUNCATED']);
    expect(await verify(copy, [kept])).toMatchObject({ ok: true, entries: 9 });
  });

  it('that were copied and continued twice are named a fork, from either side', async () => {
    const one = join(root, 'one');
    const two = join(root, 'two');
    await write(one, join(root, 'one-checkpoints'), [0, 4]);
    cpSync(one, two, { recursive: true });
    cpSync(join(root, 'one-checkpoints'), join(root, 'two-checkpoints'), { recursive: true });
    await write(one, join(root, 'one-checkpoints'), [100, 103]);
    await write(two, join(root, 'two-checkpoints'), [200, 203]);
    const kept = (which: string) => readFileSync(join(root, `${which}-checkpoints/checkpoint`), 'utf8');
    expect(await verify(one, [kept('one')])).toMatchObject({ ok: true, entries: 7 });
    expect(await verify(two, [kept('two')])).toMatchObject({ ok: true, entries: 7 });
    expect(codes(await verify(one, [kept('two')]))).toContain('VERIFY_FORKED');
    expect(codes(await verify(two, [kept('one')]))).toContain('VERIFY_FORKED');
  });

  it('of an earlier version are refused by their own code', async () => {
    const header = join(log, 'header.json');
    const old = readFileSync(header, 'utf8').replace('log/2', 'log/1');
    await withFile(header, Buffer.from(old), async () => {
      await expect(verify(log)).rejects.toMatchObject({ code: 'VERIFY_FORMAT_OLD' });
      await expect(openRecordLogFiles({ directory: log })).rejects.toMatchObject({
        code: 'RECORDER_FORMAT_OLD',
      });
    });
  });
});

describe('maso-verify', () => {
  const program = join(import.meta.dirname, '../../src/verifier/maso-verify.ts');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });

  it('verifies a directory, and exits with 1 and the first bad entry otherwise', async () => {
    const verifierKey = logVerifierKey(name, key.signer.publicKey);
    const kept = join(root, 'checkpoints/checkpoint');
    const good = run(log, '--key', verifierKey, '--checkpoint', kept, '--json');
    expect(good.status, good.stderr).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, covered: entries });
    const segment = filesOf(log).find((file) => /segment-0{16}/.test(file)) ?? '';
    const text = readFileSync(segment, 'utf8').replace('payments', 'paymentz');
    await withFile(segment, Buffer.from(text), async () => {
      const bad = run(log, '--key', verifierKey, '--checkpoint', kept);
      expect(bad.status).toBe(1);
      expect(bad.stdout.split('\n')[0]).toContain('entry 0: VERIFY_ENTRY_EDITED');
    });
  });

  it('refuses what it cannot read with exit code 2', () => {
    const verifierKey = logVerifierKey(name, key.signer.publicKey);
    expect(run().status).toBe(2);
    expect(run(log).status).toBe(2);
    expect(run(join(root, 'nowhere'), '--key', verifierKey).status).toBe(2);
    expect(run(log, '--key', `${verifierKey}x`).status).toBe(2);
  });

  it('reads a log laid out as tlog-tiles over HTTP', async () => {
    const bundle = Buffer.concat(
      Array.from({ length: entries }, (_, at) => at).map((at) => {
        const line = linesOf(log)[at] ?? Buffer.alloc(0);
        return Buffer.concat([Buffer.of(line.length >> 8, line.length & 0xff), line]);
      }),
    );
    const server = createServer((request, response) => {
      const path = (request.url ?? '').slice(1);
      const file = join(log, path);
      if (path === `tile/entries/000.p/${entries}`) response.end(bundle);
      else if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file));
      else response.writeHead(404).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const source = tiledSource(async (path) => {
      const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
      return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
    });
    const report = await verifyLog({ source, log: key.verifierKey(name), checkpoints: [checkpoint] });
    server.close();
    expect(report).toMatchObject({ ok: true, entries, covered: entries, findings: [] });
  });
});

function linesOf(directory: string): readonly Buffer[] {
  return filesOf(directory)
    .filter((file) => /segment-/.test(file))
    .sort()
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1))
    .map((text) => Buffer.from(text));
}
