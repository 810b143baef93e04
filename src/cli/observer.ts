// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { makeOwnerOnlyDirectory } from '../adapters/credential-file.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { formatDiagnostic } from '../mesh/diagnostic.ts';
import { nodeDirectories } from '../process/directories.ts';
import { recorderKeyFile } from '../process/node-recorder.ts';
import { startObserver } from '../process/observer.ts';
import type { CommandIo } from './check.ts';
import { settleProcess } from './settle-process.ts';
import { stateDirectoryOf } from './state.ts';
import { untilStopped } from './stopping.ts';
import { openWitness } from './witness.ts';

type ObserverCommand = {
  readonly directory: string;
  readonly file?: string;
  readonly state: string;
  readonly json: boolean;
  /** Port at which it cosigns checkpoints; absent: it does not. */
  readonly cosign?: string;
  readonly cosignHost: string;
};

/** `maso observer DIR [FILE]`: prints its public key; with a mesh file it observes until it is told to stop. */
export async function runObserver(options: ObserverCommand, io: CommandIo): Promise<number> {
  settleProcess(io);
  const directory = resolve(io.directory, options.directory);
  await makeOwnerOnlyDirectory(directory);
  const key = await loadOrCreateOperatorKey(join(directory, 'observer.jwk'));
  const { kty, crv, x } = key.publicJwk;
  const publicKey = { kty: kty ?? null, crv: crv ?? null, x: x ?? null };
  if (options.json) io.out(JSON.stringify({ publicKey }));
  else io.out(`public_key: ${JSON.stringify(publicKey)}`);
  if (options.file === undefined) return 0;
  const file = resolve(io.directory, options.file);
  const loaded = readMesh(file);
  if (!loaded.ok) {
    for (const item of loaded.diagnostics) io.err(formatDiagnostic(item));
    return 1;
  }
  const { log, controlSocket, checkpoints } = nodeDirectories(stateDirectoryOf(options.state, file));
  const running = await startObserver({
    mesh: loaded.mesh, logDirectory: log, controlSocket, key, log: (line) => io.err(line),
  });
  // What it found against the mesh speaks against its log as well: nothing is cosigned any more.
  const witness = options.cosign === undefined ? null : await openWitness({
    directory: join(directory, 'witness'), log: [join(checkpoints, recorderKeyFile)], name: `maso/observer/${String(x).slice(0, 12)}`,
    host: options.cosignHost, port: options.cosign, mayCosign: () => running.consents(),
  }, io);
  if (witness !== null) {
    const { url, verifierKey } = witness;
    io.out(options.json ? JSON.stringify({ cosigns: { url, key: verifierKey } }) : `cosigns at ${url}, key ${verifierKey}`);
  }
  process.send?.({ kind: 'ready' });
  await untilStopped();
  running.close();
  await witness?.close();
  return 0;
}
