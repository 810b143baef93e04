// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { openRecordHeadFile } from '../adapters/record-head-file.ts';
import { openRecordLogFiles } from '../adapters/record-log-files.ts';
import type { Clock } from '../message/clock.ts';
import { ed25519Signer } from '../recorder/head.ts';
import { openRecorder, type FlightRecorder } from '../recorder/recorder.ts';
import { noWitness } from '../recorder/witness.ts';
import type { nodeDirectories } from './directories.ts';

/** The public half of the recorder's key, for whoever verifies: a JWK beside the heads. */
export const recorderKeyFile = 'recorder-key.jwk';

/** Opens the node's flight recorder: segment files, its own key, heads outside the log. */
export async function openNodeRecorder(
  directories: ReturnType<typeof nodeDirectories>,
  clock: Clock,
  log: (line: string) => void,
): Promise<FlightRecorder> {
  const key = await loadOrCreateOperatorKey(join(directories.node, 'recorder.jwk'));
  await mkdir(directories.heads, { recursive: true, mode: 0o700 });
  await writeFile(join(directories.heads, recorderKeyFile), JSON.stringify(key.publicJwk));
  const head = await openRecordHeadFile({
    directory: directories.heads,
    logDirectory: directories.log,
  });
  const files = await openRecordLogFiles({ directory: directories.log });
  const recorder = await openRecorder({
    log: files,
    clock,
    random: systemRandom,
    timer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    signer: ed25519Signer(key.privateKey),
    writeHead: async (signed) => {
      await head.write(signed);
      await noWitness.see(signed);
    },
    lastHead: await head.read(),
  }).catch(async (failure: unknown) => {
    await files.close();
    throw failure;
  });
  recorder.onState((status) => {
    log(`recorder: ${status.state}${status.code === null ? '' : ` (${status.code})`}`);
  });
  return recorder;
}
