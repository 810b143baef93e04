// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { openRecordCheckpointFile } from '../adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../adapters/record-log-files.ts';
import type { Clock } from '../message/clock.ts';
import { logVerifierKey } from '../recorder/checkpoint.ts';
import { openRecorder, type FlightRecorder } from '../recorder/recorder.ts';
import { ed25519Signer } from '../recorder/signed-note.ts';
import { noWitness } from '../recorder/witness.ts';
import type { nodeDirectories } from './directories.ts';

/** The public half of the recorder's key, for whoever verifies, beside the newest checkpoint. */
export const recorderKeyFile = 'recorder.vkey';

/** Opens the node's flight recorder: segment files, its own key, checkpoints outside the log. */
export async function openNodeRecorder(
  directories: ReturnType<typeof nodeDirectories>,
  clock: Clock,
  log: (line: string) => void,
): Promise<FlightRecorder> {
  const key = await loadOrCreateOperatorKey(join(directories.node, 'recorder.jwk'));
  await mkdir(directories.checkpoints, { recursive: true, mode: 0o700 });
  const checkpoint = await openRecordCheckpointFile({
    directory: directories.checkpoints,
    logDirectory: directories.log,
  });
  const files = await openRecordLogFiles({ directory: directories.log });
  const signer = ed25519Signer(key.privateKey);
  const verifierKey = logVerifierKey(files.name, signer.publicKey);
  await writeFile(join(directories.checkpoints, recorderKeyFile), `${verifierKey}\n`);
  const recorder = await openRecorder({
    log: files,
    clock,
    random: systemRandom,
    timer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    signer,
    writeCheckpoint: async (signed) => {
      await checkpoint.write(signed);
      await noWitness.see(signed);
    },
    lastCheckpoint: await checkpoint.read(),
  }).catch(async (failure: unknown) => {
    await files.close();
    throw failure;
  });
  recorder.onState((status) => {
    log(`recorder: ${status.state}${status.code === null ? '' : ` (${status.code})`}`);
  });
  return recorder;
}
