// SPDX-License-Identifier: Apache-2.0
// The flight recorder on files: entries made durable a second, in calls of several entries that
// share group commits, and entries verified a second. `npm run bench:recorder -- --json`.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/adapters/clock-system.ts';
import { systemRandom } from '../src/adapters/random-system.ts';
import { openRecordLogFiles } from '../src/adapters/record-log-files.ts';
import { openRecordLogReader } from '../src/adapters/record-log-segments.ts';
import { mintUlid } from '../src/message/identifiers.ts';
import type { EntryDraft } from '../src/recorder/entry.ts';
import { logVerifierKey } from '../src/recorder/checkpoint.ts';
import { openRecorder } from '../src/recorder/recorder.ts';
import { ed25519Signer } from '../src/recorder/signed-note.ts';
import { parseVerifierKey } from '../src/verifier/checkpoint.ts';
import { directorySource, nodeSha256 } from '../src/verifier/directory.ts';
import { verifyLog } from '../src/verifier/verify.ts';
import { cpuUs, machine, numberOption, print, rounded } from './machine.ts';

const targets = { appendPerSecond: 50_000, verifyPerSecond: 120_000 };
const total = numberOption('entries', 200_000);
const perCall = numberOption('batch', 64);
const callsUnderWay = 32;

const clock = systemClock();
const directory = mkdtempSync(join(tmpdir(), 'maso-bench-'));
const log = join(directory, 'log');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

const append = await measureAppend();
const bytes = readdirSync(log).reduce((sum, name) => sum + statSync(join(log, name)).size, 0);
const verify = await measureVerify();
rmSync(directory, { recursive: true });
print({
  bench: 'recorder',
  machine: machine(),
  entries: total,
  entriesPerCall: perCall,
  bytesPerEntry: Math.round(bytes / total),
  append,
  verify,
  targets,
  pass: {
    append: append.perSecond >= targets.appendPerSecond,
    verify: verify.perSecond >= targets.verifyPerSecond && verify.ok,
  },
});

async function measureAppend() {
  const recorder = await openRecorder({
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
  const calls = Array.from({ length: Math.ceil(total / perCall) }, (_, call) =>
    Array.from({ length: Math.min(perCall, total - call * perCall) }, () => draft()),
  );
  let next = 0;
  const work = async (): Promise<void> => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
      await recorder.record(call);
    }
  };
  const cpuBefore = cpuUs(process.pid);
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: callsUnderWay }, work));
  const tookMs = performance.now() - startedMs;
  const usedUs = cpuUs(process.pid) - cpuBefore;
  await recorder.close();
  return { perSecond: Math.round((total * 1000) / tookMs), cpuUsPerEntry: rounded(usedUs / total) };
}

async function measureVerify() {
  const { name } = await openRecordLogReader(log);
  const key = parseVerifierKey(logVerifierKey(name, publicKey));
  if (key === null) throw new Error('The verifier does not read the key.');
  const cpuBefore = cpuUs(process.pid);
  const startedMs = performance.now();
  const report = await verifyLog({
    source: await directorySource(log),
    log: key,
    sha256: nodeSha256,
  });
  const tookMs = performance.now() - startedMs;
  return {
    ok: report.ok && report.entries === total,
    perSecond: Math.round((report.entries * 1000) / tookMs),
    cpuUsPerEntry: rounded((cpuUs(process.pid) - cpuBefore) / report.entries),
  };
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
