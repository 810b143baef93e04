// SPDX-License-Identifier: Apache-2.0
// Exporters behind a log that grows by so many entries a second: how far behind they are, and what
// the process costs. `npm run bench:exporters -- --json`.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/adapters/clock-system.ts';
import { systemRandom } from '../src/adapters/random-system.ts';
import { openRecordLogFiles } from '../src/adapters/record-log-files.ts';
import { mintUlid } from '../src/message/identifiers.ts';
import { nodeDirectories } from '../src/process/directories.ts';
import { readExportersStatus } from '../src/process/exporter-status.ts';
import type { EntryDraft } from '../src/recorder/entry.ts';
import { openRecorder } from '../src/recorder/recorder.ts';
import { ed25519Signer } from '../src/recorder/signed-note.ts';
import { cpuUs, machine, numberOption, print, residentBytes, rounded } from './machine.ts';

const target = { lagMs: 5_000 };
const perSecond = numberOption('rate', 1_000);
const seconds = numberOption('seconds', 20);
/** Entries that stand in the log before: reading to its end costs more, the longer a segment is. */
const before = numberOption('before', 60_000);

const clock = systemClock();
const state = mkdtempSync(join(tmpdir(), 'maso-bench-'));
const directories = nodeDirectories(state);
const { privateKey } = generateKeyPairSync('ed25519');
const recorder = await openRecorder({
  log: await openRecordLogFiles({ directory: directories.log }),
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
for (let written = 0; written < before; written += 500) await recorder.record(entries(500));

let statusCalls = 0;
const control = createServer((_request, response) => {
  statusCalls += 1;
  response.end(JSON.stringify({
    connected: [], pendingApprovals: 0, queued: 0, queuedLongest: 0, leases: 0,
    recorder: { state: 'available', entries: recorder.size(), checkpointAt: clock.nowMs() },
  }));
});
mkdirSync(join(state, 'control'), { recursive: true });
await new Promise<void>((resolve) => control.listen(directories.controlSocket, () => resolve()));
const sink = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end('{}'));
});
await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', () => resolve()));
const address = sink.address();
const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
writeFileSync(join(state, 'security_mesh.yaml'), `security_mesh:
  domains: [ { name: work, tier: PLAINTEXT, allowed_roles: [ANALYST] } ]
  agents: { alpha: { role: ANALYST }, beta: { role: ANALYST } }
  exporters:
    otel: { otlp: { endpoint: "http://127.0.0.1:${port}" } }
    siem: { siem_http: { endpoint: "http://127.0.0.1:${port}/events" } }
    file: { siem_file: { path: events.jsonl } }
`);

const program = new URL('../src/cli/maso.ts', import.meta.url).pathname;
const child = spawn(
  process.execPath,
  [program, 'exporters', 'run', join(state, 'security_mesh.yaml'), '--state', state],
  { stdio: 'inherit' },
);
const pid = child.pid ?? 0;
const caughtUpMs = await untilBehind(0);
const startUs = cpuUs(pid);
const startedMs = performance.now();
let worstLagMs = 0;
let written = 0;
while (performance.now() - startedMs < seconds * 1000) {
  const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond);
  if (due > written) await recorder.record(entries(Math.min(500, due - written)));
  written = Math.max(written, Math.min(written + 500, due));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const status = await readExportersStatus(state, clock.nowMs());
  for (const { lagMs } of status?.exporters ?? []) worstLagMs = Math.max(worstLagMs, lagMs);
}
const elapsedUs = (performance.now() - startedMs) * 1000;
const cpuShare = (cpuUs(pid) - startUs) / elapsedUs;
const rssMiB = residentBytes(pid) / 1024 / 1024;
child.kill('SIGTERM');
await new Promise((resolve) => child.once('exit', resolve));
const lines = readFileSync(join(state, 'events.jsonl'), 'utf8').split('\n').length - 1;
control.close();
sink.close();
await recorder.close();
rmSync(state, { recursive: true });
print({
  bench: 'exporters',
  machine: machine(),
  exporters: 3,
  perSecond,
  seconds,
  before,
  backlogPerSecond: Math.round(before / (caughtUpMs / 1000)),
  worstLagMs,
  cpuShareOfACore: rounded(cpuShare),
  rssMiB: Math.round(rssMiB),
  statusCallsPerSecond: rounded(statusCalls / (elapsedUs / 1e6)),
  events: lines,
  target,
  pass: { lag: worstLagMs < target.lagMs },
});

function entries(count: number): EntryDraft[] {
  return Array.from({ length: count }, (): EntryDraft => {
    const message = mintUlid(clock, systemRandom);
    return {
      kind: 'message.admitted', id: `${message}.admitted`, at: clock.nowMs(), actor: 'node',
      task: message, message, causedBy: [message], outcome: 'GO', code: null,
      verdicts: [
        { outcome: 'GO', control: 'bus', version: 'mesh-digest', tookUs: 200, findings: [] },
        { outcome: 'GO', control: 'scanner', version: 'rules', tookUs: 150, findings: [] },
      ],
      tookUs: 900, detail: { from: 'alpha', to: 'beta', schema: 'note/1', domain: 'work' },
    };
  });
}

async function untilBehind(most: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const status = await readExportersStatus(state, clock.nowMs());
    const all = status?.exporters ?? [];
    if (all.length === 3 && all.every(({ next, behind }) => next > 0 && behind <= most)) {
      return performance.now() - began;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
