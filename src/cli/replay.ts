// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../adapters/folders.ts';
import { nodeDirectories } from '../process/directories.ts';
import { recorderKeyFile } from '../process/node-recorder.ts';
import { ReplayError } from '../process/replay-codes.ts';
import { corpusDigest, readCorpus } from '../process/replay-corpus.ts';
import { ReplayMesh, type ReplayedText } from '../process/replay-run.ts';
import { tally } from '../process/replay-tally.ts';
import type { CommandIo } from './check.ts';
import { failureText } from './failure-text.ts';
import { verifyDirectory } from './recorder-verify.ts';
import { describeReplay, latencies, latencyOf } from './replay-report.ts';
import type { MalformedRow, ReplayReport } from './replay-report.ts';
import { onStop } from './stopping.ts';

type ReplayOptions = {
  readonly file: string;
  /** Rows to send; 0 for all. */
  readonly limit: string;
  /** Texts a second, open loop; 0 for one after the other. */
  readonly rate: string;
  readonly state?: string;
  readonly json: boolean;
};

const progressEveryMs = 2_000;
const malformedKept = 20;
const rateMax = 2000;

type Sending = {
  readonly texts: ReplayedText[];
  readonly malformed: { total: number; readonly first: MalformedRow[] };
  /** Why the rest of the file was not sent; null when all of it was. */
  stopped: string | null;
  mesh: ReplayMesh | null;
  /** When the first text was sent; the start of the mesh is not counted. */
  startedMs: number;
  durationMs: number;
};

/**
 * `maso replay FILE`: sends each text of a labelled corpus through a private live mesh, one after
 * the other in the order of the file or at a steady rate, and says what the record holds of them. Exit 1 when no row
 * could be sent, when the file or the mesh failed before its end, when a text is not on record
 * exactly once, or when the record does not verify; 2 for wrong usage.
 */
export async function replay(options: ReplayOptions, io: CommandIo): Promise<number> {
  const limit = Number(options.limit);
  const rate = Number(options.rate);
  if (!Number.isSafeInteger(limit) || limit < 0) {
    io.err('--limit takes a number of rows, 0 for all.');
    return 2;
  }
  if (!(rate >= 0 && rate <= rateMax)) {
    io.err(`--rate takes texts a second, at most ${rateMax}; 0 for one after the other.`);
    return 2;
  }
  const file = resolve(io.directory, options.file);
  const state = await stateDirectory(options, io);
  try {
    const wanted = { limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit, rate };
    const sending = await sendAll(file, wanted, state, io);
    return await conclude(options, file, state, sending, io);
  } catch (failure) {
    if (!(failure instanceof ReplayError)) throw failure;
    io.err(failureText(failure));
    return 1;
  } finally {
    if (options.state === undefined) await rm(state, { recursive: true, force: true });
  }
}

async function stateDirectory(options: ReplayOptions, io: CommandIo): Promise<string> {
  if (options.state === undefined) return mkdtemp(join(tmpdir(), 'maso-replay-'));
  const directory = resolve(io.directory, options.state);
  makeFolders(directory, 0o700);
  return directory;
}

type Wanted = { readonly limit: number; readonly rate: number };

async function sendAll(
  file: string,
  wanted: Wanted,
  state: string,
  io: CommandIo,
): Promise<Sending> {
  const sending: Sending = {
    texts: [],
    malformed: { total: 0, first: [] },
    stopped: null,
    mesh: null,
    startedMs: performance.now(),
    durationMs: 0,
  };
  const interrupted = new AbortController();
  const unheard = onStop(() => interrupted.abort());
  const progress = setInterval(() => {
    if (sending.mesh === null) {
      io.err('replay: its mesh starts');
      return;
    }
    const seconds = (performance.now() - sending.startedMs) / 1000;
    const rate = Math.round(sending.texts.length / seconds);
    io.err(`replay: ${sending.texts.length} texts sent, ${rate}/s`);
  }, progressEveryMs);
  try {
    await sendRows(file, wanted, state, sending, interrupted.signal, io);
  } catch (failure) {
    if (!(failure instanceof ReplayError) || sending.mesh === null) throw failure;
    // What was sent before is on record and is reported; the exit code says that it is not all.
    sending.stopped = failure.code;
    io.err(`${failure.code}: ${failure.message}`);
  } finally {
    sending.durationMs = performance.now() - sending.startedMs;
    await sending.mesh?.stop();
    clearInterval(progress);
    unheard();
  }
  return sending;
}

async function sendRows(
  file: string,
  { limit, rate }: Wanted,
  state: string,
  sending: Sending,
  interrupted: AbortSignal,
  io: CommandIo,
): Promise<void> {
  const under: Promise<void>[] = [];
  for await (const item of readCorpus(file)) {
    if (under.length >= limit) break;
    if (interrupted.aborted) {
      sending.stopped = 'interrupted';
      break;
    }
    if (!item.ok) {
      noteMalformed(sending, item, io);
      continue;
    }
    sending.mesh ??= await ReplayMesh.start(state);
    if (!sending.mesh.running) {
      const said = sending.mesh.lines.join('\n');
      throw new ReplayError('REPLAY_MESH_FAILED', `The mesh ended early:\n${said}`);
    }
    if (under.length === 0) sending.startedMs = performance.now();
    const sent = sending.mesh.send(item.line, item.row).then((text) => void sending.texts.push(text));
    under.push(sent);
    // Whatever fails is thrown below, once all have ended; until then it must not end the process.
    sent.catch(() => undefined);
    await (rate === 0 ? sent : sleep(Math.max(0, sending.startedMs + (under.length * 1000) / rate - performance.now())));
  }
  await Promise.all(under);
}

function noteMalformed(sending: Sending, row: MalformedRow, io: CommandIo): void {
  const { malformed } = sending;
  malformed.total += 1;
  if (malformed.first.length >= malformedKept) return;
  malformed.first.push({ line: row.line, code: row.code });
  io.err(`line ${row.line}: ${row.code}`);
}

async function conclude(
  options: ReplayOptions,
  file: string,
  state: string,
  sending: Sending,
  io: CommandIo,
): Promise<number> {
  const { texts, malformed, stopped, mesh, durationMs } = sending;
  if (mesh === null) {
    const counted = `${malformed.total} malformed rows, no other.`;
    throw new ReplayError('REPLAY_NO_ROWS', `${file}: ${counted}`);
  }
  const { log, checkpoints } = nodeDirectories(state);
  const verified = await verifyDirectory({
    log,
    key: join(checkpoints, recorderKeyFile),
    checkpoints: [join(checkpoints, 'checkpoint')],
    witnesses: [],
    quorum: null,
  });
  const { verdicts, accounted, controlsUs } = await tally(texts, log);
  const unanswered = texts.filter((text) => text.ended === 'unanswered').length;
  const report: ReplayReport = {
    ok: verified.ok && accounted.complete && unanswered === 0 && stopped === null,
    file,
    sha256: await corpusDigest(file),
    node: process.version,
    durationMs: Math.round(durationMs),
    texts: texts.length,
    malformed,
    stopped,
    unanswered,
    sessionsEnded: mesh.sessionsEnded,
    verdicts,
    latencyMs: latencies(texts),
    controlsMs: latencyOf(controlsUs.map((us) => us / 1000)),
    accounted,
    record: {
      ok: verified.ok,
      entries: verified.entries,
      covered: verified.covered,
      findings: verified.findingsTotal,
      codes: [...new Set(verified.findings.map((finding) => finding.code))],
    },
  };
  if (options.json) io.out(JSON.stringify(report));
  else for (const line of describeReplay(report)) io.out(line);
  return report.ok ? 0 : 1;
}
