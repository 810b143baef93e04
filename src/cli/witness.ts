// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { makeOwnerOnlyDirectory } from '../adapters/credential-file.ts';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { lockRecordLog } from '../adapters/record-log-lock.ts';
import { WitnessFiles } from '../adapters/witness-files.ts';
import { serveWitness } from '../adapters/witness-http.ts';
import { parseVerifierKey } from '../verifier/checkpoint.ts';
import { witnessIdentity } from '../witness/cosign.ts';
import type { CommandIo } from './check.ts';
import { settleProcess } from './settle-process.ts';
import { untilStopped } from './stopping.ts';

export type WitnessOptions = {
  readonly directory: string;
  readonly log: readonly string[];
  readonly name?: string;
  readonly host: string;
  readonly port: string;
  readonly json: boolean;
};

/** What `maso witness` says when it serves; `maso up` reads it from a witness of its own. */
export type WitnessReady = {
  readonly kind: 'ready';
  readonly url: string;
  readonly verifierKey: string;
};

/**
 * `maso witness DIR --log KEY`: cosigns checkpoints of the logs it is told of, with a key and a
 * memory of its own, until it is told to stop. Reads nothing of a log but what it is sent.
 */
export async function runWitness(options: WitnessOptions, io: CommandIo): Promise<number> {
  settleProcess(io);
  const directory = resolve(io.directory, options.directory);
  const { url, verifierKey, logs, close } = await openWitness({ ...options, directory }, io);
  const ready: WitnessReady = { kind: 'ready', url, verifierKey };
  process.send?.(ready);
  if (options.json) io.out(JSON.stringify({ url, verifierKey }));
  else {
    io.out(`witness serves ${url}`);
    io.out(`  verifier key  ${verifierKey}`);
    io.out(`  logs          ${logs()} known, in ${directory}`);
  }
  await untilStopped();
  await close();
  return 0;
}

export type OpenWitness = {
  readonly url: string;
  readonly verifierKey: string;
  readonly logs: () => number;
  readonly close: () => Promise<void>;
};

/** A witness with its key and memory in this directory. One process at a time holds it. */
export async function openWitness(
  options: Pick<WitnessOptions, 'directory' | 'log' | 'name' | 'host' | 'port'> & { readonly mayCosign?: () => boolean },
  io: CommandIo,
): Promise<OpenWitness> {
  const { directory } = options;
  await makeOwnerOnlyDirectory(directory);
  const unlock = lockRecordLog(directory);
  const { privateKey, publicJwk } = await loadOrCreateOperatorKey(join(directory, 'witness.jwk'));
  const mark = createHash('sha256').update(String(publicJwk.x)).digest('hex').slice(0, 12);
  const identity = witnessIdentity(options.name ?? `maso/witness/${mark}`, privateKey);
  await writeFile(join(directory, 'witness.vkey'), `${identity.verifierKey}\n`);
  const files = new WitnessFiles(directory);
  const refresh = async () => {
    for (const text of options.log) {
      const key = await keyText(resolve(io.directory, text), text);
      if (key !== null) await files.know(key);
    }
  };
  await refresh();
  const { host, mayCosign = () => true } = options;
  const server = await serveWitness({
    host, identity, files, refresh, mayCosign,
    port: Number(options.port),
    clock: systemClock(),
    log: (line) => io.err(line),
  });
  return {
    url: `http://${host}:${server.port}`,
    verifierKey: identity.verifierKey,
    logs: () => files.logs().length,
    close: async () => {
      await server.close();
      unlock();
    },
  };
}

/** The key itself, or that of a file, which may come to be there later: then null. */
async function keyText(path: string, text: string): Promise<string | null> {
  if (parseVerifierKey(text) !== null) return text;
  return readFile(path, 'utf8').catch((failure: unknown) => {
    if (failure instanceof Error && 'code' in failure && failure.code === 'ENOENT') return null;
    throw failure;
  });
}
