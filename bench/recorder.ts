// SPDX-License-Identifier: Apache-2.0
// The flight recorder on files: entries made durable a second in batches, at a steady 5,000 a second
// with one flush per 5 ms, verified a second (tree alone, and in full), proven and asked for; at
// several sizes, so that a cost that grows with the log shows. The speed of a shared machine changes
// from minute to minute, so verification stands beside its floor in the same run: the two SHA-256
// that each entry costs, of its line and of a node, in a loop that does nothing else. One thread.
// `npm run bench:recorder -- --json --sizes 10000,1000000`
import { generateKeyPairSync, hash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/adapters/clock-system.ts';
import { systemRandom } from '../src/adapters/random-system.ts';
import { RecordIndex } from '../src/adapters/record-index-sqlite.ts';
import { openRecordLogFiles } from '../src/adapters/record-log-files.ts';
import { openRecordLogReader } from '../src/adapters/record-log-segments.ts';
import { readTileFile } from '../src/adapters/record-log-tiles.ts';
import { mintUlid } from '../src/message/identifiers.ts';
import { checkpointRoot, logVerifierKey } from '../src/recorder/checkpoint.ts';
import type { EntryDraft } from '../src/recorder/entry.ts';
import { openRecorder } from '../src/recorder/recorder.ts';
import { ed25519Signer } from '../src/recorder/signed-note.ts';
import { inclusionProof } from '../src/recorder/tree-proof.ts';
import { parseVerifierKey } from '../src/verifier/checkpoint.ts';
import { collectSoon, directorySource, nodeSha256 } from '../src/verifier/directory.ts';
import { tileWidth, TileTree, TreeHashes } from '../src/verifier/tree.ts';
import { verifyLog } from '../src/verifier/verify.ts';
import { machine, numberOption, peakResidentBytes, percentiles, print, rounded } from './machine.ts';

const targets = {
  appendPerSecond: 50_000,
  steadyPerSecond: 5_000,
  treePerSecond: 400_000,
  verifyPerSecond: 120_000,
  queryMs: 1_000,
  memoryMiB: 200,
};
const perCall = numberOption('batch', 64);
const steadySeconds = numberOption('steady-seconds', 3);
const callsUnderWay = 32;
const warmUpEntries = 100_000;
/** A log is verified again and again for so long; the first pass is the figure, the last one is warm. */
const verifyMs = 3_000;
const clock = systemClock();
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

if (process.argv.includes('--verify')) await verifyOnly();
else if (process.argv.includes('--ask')) await askOnly();
else await measureAll();

async function measureAll(): Promise<void> {
  const sizes = sizesAsked();
  await warmUp();
  const measured: Awaited<ReturnType<typeof measureSize>>[] = [];
  for (const entries of sizes) {
    const directory = mkdtempSync(join(tmpdir(), 'maso-bench-'));
    measured.push(await measureSize(entries, join(directory, 'log'), directory));
    rmSync(directory, { recursive: true });
  }
  const steady = await measureSteady();
  const last = measured.at(-1);
  const grows = (of: (one: (typeof measured)[number]) => number) => {
    const costs = measured.map(of);
    return rounded((costs.at(-1) ?? Number.NaN) / (costs[0] ?? Number.NaN));
  };
  print({
    bench: 'recorder',
    machine: machine(),
    entriesPerCall: perCall,
    sizes: measured,
    /** The last size over the first, per entry: 1 is flat; less where what each log costs once weighs less. */
    growth: {
      appendCpu: grows((one) => one.append.cpuUsPerEntry),
      verifyCpu: grows((one) => one.verify.warmCpuUsPerEntry),
    },
    steady,
    targets,
    pass: {
      append: (last?.append.perSecond ?? 0) >= targets.appendPerSecond,
      steady: steady.perSecond >= targets.steadyPerSecond * 0.99,
      tree: (last?.tree.perSecond ?? 0) >= targets.treePerSecond,
      verify: (last?.verify.perSecond ?? 0) >= targets.verifyPerSecond && last?.verify.ok === true,
      query: (last?.ask.queryMs.max ?? Number.POSITIVE_INFINITY) <= targets.queryMs,
      verifyMemory: (last?.verify.memoryMiB ?? Number.POSITIVE_INFINITY) <= targets.memoryMiB,
      askMemory: (last?.ask.memoryMiB ?? Number.POSITIVE_INFINITY) <= targets.memoryMiB,
    },
  });
}

async function measureSize(entries: number, log: string, directory: string) {
  const append = await measureAppend(entries, log);
  const { name } = await openRecordLogReader(log);
  return {
    entries,
    bytesPerEntry: Math.round(segmentBytes(log) / entries),
    append,
    ...(await measureVerification(entries, log, logVerifierKey(name, publicKey))),
    ask: measureAsk(entries, log, join(directory, 'index.sqlite')),
  };
}

async function recorderAt(log: string) {
  return openRecorder({
    log: await openRecordLogFiles({ directory: log }),
    clock,
    random: systemRandom,
    timer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    signer: ed25519Signer(privateKey),
    writeCheckpoint: async () => undefined,
    lastCheckpoint: null,
  });
}

/** Entries of a log that nobody looks at, so that the first log measured is not the one that is compiled for. */
async function warmUp(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'maso-bench-'));
  await measureAppend(warmUpEntries, join(directory, 'log'));
  rmSync(directory, { recursive: true });
}

async function measureAppend(entries: number, log: string) {
  const recorder = await recorderAt(log);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < entries) {
      const count = Math.min(perCall, entries - next);
      next += count;
      await recorder.record(Array.from({ length: count }, () => draft()));
    }
  };
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: callsUnderWay }, work));
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  await recorder.close();
  return { perSecond: perSecond(entries, tookMs), cpuUsPerEntry: rounded((user + system) / entries) };
}

/** 25 entries every 5 ms, each call durable by itself: what a busy node asks for, not what it can. */
async function measureSteady() {
  const directory = mkdtempSync(join(tmpdir(), 'maso-bench-'));
  const recorder = await recorderAt(join(directory, 'log'));
  const latenciesMs: number[] = [];
  const calls: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let tick = 0; tick < steadySeconds * 200; tick += 1) {
    const dueMs = startedMs + tick * 5;
    while (performance.now() < dueMs) await new Promise((done) => setTimeout(done, 1));
    const call = recorder.record(Array.from({ length: 25 }, () => draft()));
    calls.push(call.then(() => void latenciesMs.push(performance.now() - dueMs)));
  }
  await Promise.all(calls);
  const tookMs = performance.now() - startedMs;
  await recorder.close();
  rmSync(directory, { recursive: true });
  return { perSecond: perSecond(calls.length * 25, tookMs), durableMs: percentiles(latenciesMs) };
}

/** The floor before and after, so that a machine that changes its speed meanwhile is seen. */
async function measureVerification(entries: number, log: string, key: string) {
  const before = measureFloor(entries, log);
  const tree = await measureTree(entries, log);
  const verify = measureVerify(entries, log, key);
  const floorPerSecond = Math.round((before + measureFloor(entries, log)) / 2);
  const toFloor = (perSecond: number) => rounded(floorPerSecond / perSecond);
  return {
    floorPerSecond,
    tree: { ...tree, timesFloor: toFloor(tree.perSecond) },
    verify: { ...verify, timesFloor: toFloor(verify.perSecond) },
  };
}

/** The hashes alone, of lines of the length that this log has. */
function measureFloor(entries: number, log: string): number {
  const leaf = Buffer.alloc(Math.round(segmentBytes(log) / entries), 0x41);
  const node = Buffer.alloc(65, 0x41);
  const rounds = Math.min(entries, 300_000);
  const startedMs = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    hash('sha256', leaf, 'binary');
    hash('sha256', node, 'binary');
  }
  return perSecond(rounds, performance.now() - startedMs);
}

function segmentBytes(log: string): number {
  return readdirSync(log)
    .filter((name) => name.startsWith('segment-'))
    .reduce((sum, name) => sum + statSync(join(log, name)).size, 0);
}

/** Every entry hashed into the tree, and the root held against the checkpoint: nothing parsed. */
async function measureTree(entries: number, log: string) {
  const source = await directorySource(log);
  const hashes = new TreeHashes(nodeSha256);
  const tree = new TileTree(hashes);
  const leaves = new Uint8Array(tileWidth * 32);
  let filled = 0;
  const startedMs = performance.now();
  for await (const run of source.entries(entries)) {
    for (const line of run) {
      hashes.writeLeaf(line, leaves, filled * 32);
      filled += 1;
      if (filled < tileWidth) continue;
      tree.add(leaves);
      filled = 0;
    }
  }
  const root = tree.root(leaves.subarray(0, filled * 32));
  const tookMs = performance.now() - startedMs;
  const ok = Buffer.from(root).equals(checkpointRoot(readFileSync(join(log, 'checkpoint'), 'utf8')));
  return { ok, perSecond: ok ? perSecond(entries, tookMs) : 0 };
}

/** In a process of its own, so that its memory is its own. */
function measureVerify(entries: number, log: string, key: string) {
  const args = [import.meta.filename, '--verify', log, key];
  const ended = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const said = JSON.parse(ended.stdout) as {
    readonly ok: boolean;
    readonly entries: number;
    readonly tookMs: number;
    readonly cpuUs: number;
    readonly warmCpuUs: number;
    readonly memoryMiB: number;
  };
  return {
    ok: said.ok && said.entries === entries,
    perSecond: perSecond(said.entries, said.tookMs),
    cpuUsPerEntry: rounded(said.cpuUs / said.entries),
    warmCpuUsPerEntry: rounded(said.warmCpuUs / said.entries),
    memoryMiB: said.memoryMiB,
  };
}

async function verifyOnly(): Promise<void> {
  const at = process.argv.indexOf('--verify');
  const key = parseVerifierKey(process.argv[at + 2] ?? '');
  if (key === null) throw new Error('The verifier does not read the key.');
  // As `maso-verify` does.
  collectSoon();
  const pass = async () => {
    const source = await directorySource(process.argv[at + 1] ?? '');
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    const { ok, entries } = await verifyLog({ source, log: key, sha256: nodeSha256 });
    const { user, system } = process.cpuUsage(cpuBefore);
    return { ok, entries, tookMs: performance.now() - startedMs, cpuUs: user + system };
  };
  const first = await pass();
  let last = first;
  for (let tookMs = first.tookMs; tookMs < verifyMs; tookMs += last.tookMs) last = await pass();
  const memoryMiB = Math.round(peakResidentBytes() / 1_048_576);
  process.stdout.write(JSON.stringify({ ...first, warmCpuUs: last.cpuUs, memoryMiB }));
}

/** Proofs and queries, in a process of their own too: it makes the index, then asks. */
function measureAsk(entries: number, log: string, index: string): Asked {
  const args = [import.meta.filename, '--ask', log, index, String(entries)];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return JSON.parse(stdout) as Asked;
}

type Asked = {
  readonly proveMs: ReturnType<typeof percentiles>;
  readonly queryMs: ReturnType<typeof percentiles>;
  readonly indexMs: number;
  readonly memoryMiB: number;
};

async function askOnly(): Promise<void> {
  const [log = '', index = '', entries = ''] = process.argv.slice(process.argv.indexOf('--ask') + 1);
  collectSoon();
  const proveMs = await measureProve(Number(entries), log);
  const queried = await measureQuery(log, index);
  const memoryMiB = Math.round(peakResidentBytes() / 1_048_576);
  process.stdout.write(JSON.stringify({ proveMs, ...queried, memoryMiB }));
}

async function measureProve(entries: number, log: string) {
  const tookMs: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    const startedMs = performance.now();
    await inclusionProof(Math.floor((entries * round) / 50), entries, (...place) =>
      readTileFile(log, ...place),
    );
    tookMs.push(performance.now() - startedMs);
  }
  return percentiles(tookMs);
}

async function measureQuery(log: string, path: string) {
  const startedMs = performance.now();
  const index = await RecordIndex.open({ directory: log, path });
  await index.catchUp();
  const indexedMs = performance.now() - startedMs;
  const some = await index.query({}, 1);
  const tookMs: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const entry = (await index.entry(Math.floor(((some[0]?.sequence ?? 0) * round) / 20))) ?? some[0];
    const askedMs = performance.now();
    if (entry?.message !== null && entry?.message !== undefined) await index.naming(entry.message);
    await index.query({ kind: 'message.admitted', actor: 'node' }, 100);
    await index.query({ kind: 'tool.intent' }, 100);
    tookMs.push((performance.now() - askedMs) / 3);
  }
  index.close();
  return { indexMs: Math.round(indexedMs), queryMs: percentiles(tookMs) };
}

function perSecond(count: number, tookMs: number): number {
  return Math.round((count * 1000) / tookMs);
}

function sizesAsked(): readonly number[] {
  const at = process.argv.indexOf('--sizes');
  const sizes = (at < 0 ? '10000,200000' : (process.argv[at + 1] ?? '')).split(',').map(Number);
  if (sizes.every((size) => Number.isSafeInteger(size) && size > 0)) return sizes;
  throw new Error('--sizes wants numbers of entries, with commas between.');
}

/** An admission as the bus records it. */
function draft(): EntryDraft {
  const id = mintUlid(clock, systemRandom);
  return {
    kind: 'message.admitted',
    id: `${id}.admitted`,
    at: clock.nowMs(),
    actor: 'node',
    task: id,
    message: id,
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts: [
      { outcome: 'GO', control: 'bus', version: 'aMDiX3sSk0aE', tookUs: 180, findings: [] },
    ],
    tookUs: 180,
    detail: { from: 'triage', to: 'payments', schema: 'note/1', domain: 'billing' },
  };
}
