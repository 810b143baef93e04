// SPDX-License-Identifier: Apache-2.0
// Writes entries as fast as it can until it is killed: node recorder-writer-process.ts FOLDER
import { createPrivateKey } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { openRecordCheckpointFile } from '../../src/adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../../src/adapters/record-log-files.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import { draft, systemTimer, testKey } from './recorder-fixture.ts';

// It is killed, and would keep nothing of what was compiled for it.
flushCompileCache();
const folder = process.argv[2] ?? '';
const logDirectory = join(folder, 'log');
const { signer } = testKey(createPrivateKey(readFileSync(join(folder, 'key.pem'))));
const checkpoint = await openRecordCheckpointFile({ directory: join(folder, 'checkpoint'), logDirectory });
const log = await openRecordLogFiles({
  directory: logDirectory,
  segmentBytes: 200_000,
  reserveBytes: 65_536,
});
const recorder = await openRecorder({
  log,
  clock: { nowMs: Date.now },
  random: systemRandom,
  timer: systemTimer,
  signer,
  lastCheckpoint: await checkpoint.read(),
  writeCheckpoint: checkpoint.write,
  limits: { checkpointEveryMs: 20 },
});

const acknowledgedFile = join(folder, 'acknowledged');
await resendLast();

// The page cache outlives this process, so what is written here before the kill is seen after it.
const acknowledged = openSync(acknowledgedFile, 'a');
writeSync(acknowledged, `start\n`);
let next = 0;
await Promise.all(Array.from({ length: 24 }, (_, writer) => write(writer)));
closeSync(acknowledged);

async function write(writer: number): Promise<void> {
  for (;;) {
    const drafts = Array.from({ length: 1 + (next % 4) }, () => {
      next += 1;
      const id = `${process.pid}.${writer}.${next}`;
      return draft(next, { id, detail: { filler: 'x'.repeat((next * 37) % 3000) } });
    });
    const receipts = await recorder.record(drafts, { privileged: next % 2 === 0 });
    const lines = receipts.map(({ sequence }, index) => `${drafts[index]?.id} ${sequence}\n`);
    writeSync(acknowledged, lines.join(''));
  }
}

/** Entries whose writer did not hear of them in time come again, and are recorded once. */
async function resendLast(): Promise<void> {
  if (!existsSync(acknowledgedFile)) return;
  const lines = readFileSync(acknowledgedFile, 'utf8').trimEnd().split('\n');
  for (const line of lines.slice(-50)) {
    const [id = '', sequence] = line.split(' ');
    if (sequence === undefined) continue;
    const [receipt] = await recorder.record([draft(1, { id })]);
    if (receipt?.sequence !== Number(sequence)) process.exit(3);
  }
}
