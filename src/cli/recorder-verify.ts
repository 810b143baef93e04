// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDirectories } from '../process/directories.ts';
import { recorderKeyFile } from '../process/node-recorder.ts';
import { parseVerifierKey } from '../verifier/checkpoint.ts';
import type { VerifierKey } from '../verifier/checkpoint.ts';
import { VerifierError } from '../verifier/codes.ts';
import { collectSoon, directorySource, nodeSha256 } from '../verifier/directory.ts';
import { describeReport } from '../verifier/report-text.ts';
import { verifyLog } from '../verifier/verify.ts';
import type { VerifyReport } from '../verifier/verify.ts';
import type { CommandIo } from './check.ts';
import { stateDirectoryOf } from './state.ts';

type VerifyOptions = {
  readonly state: string;
  readonly log?: string;
  readonly checkpoint?: readonly string[];
  readonly key?: string;
  readonly witness?: readonly string[];
  readonly quorum?: string;
  readonly json: boolean;
};

/**
 * `maso recorder verify`: the verifier of `maso-verify` on the log of a state directory, with its
 * key and newest checkpoint unless others are named. Exit 1 when anything was edited, removed,
 * reordered or cut off.
 */
export async function recorderVerify(options: VerifyOptions, io: CommandIo): Promise<number> {
  const directories = nodeDirectories(stateDirectoryOf(options.state, null));
  let toldAt = 0;
  collectSoon();
  const report = await verifyDirectory({
    log: options.log ?? directories.log,
    checkpoints: options.checkpoint ?? [join(directories.checkpoints, 'checkpoint')],
    key: options.key ?? join(directories.checkpoints, recorderKeyFile),
    witnesses: options.witness ?? [],
    quorum: options.quorum === undefined ? null : Number(options.quorum),
    progress: (entries) => {
      if (performance.now() - toldAt < 2000) return;
      if (toldAt > 0) io.err(`${entries} entries read`);
      toldAt = performance.now();
    },
  });
  if (options.json) io.out(JSON.stringify(report));
  else for (const line of describeReport(report)) io.out(line);
  return report.ok ? 0 : 1;
}

/** Verifies a log directory under verifier keys, given as text or as files that hold it. */
export async function verifyDirectory(paths: {
  readonly log: string;
  readonly checkpoints: readonly string[];
  readonly key: string;
  readonly witnesses: readonly string[];
  readonly quorum: number | null;
  readonly progress?: (entries: number) => void;
}): Promise<VerifyReport> {
  // The checkpoints first: a running recorder may write newer ones while the log is being read.
  const checkpoints = await Promise.all(paths.checkpoints.map((path) => readFile(path, 'utf8')));
  return verifyLog({
    source: await directorySource(paths.log),
    log: await keyFrom(paths.key),
    checkpoints,
    witnesses: await Promise.all(paths.witnesses.map(keyFrom)),
    sha256: nodeSha256,
    ...(paths.quorum === null ? {} : { quorum: paths.quorum }),
    ...(paths.progress === undefined ? {} : { progress: paths.progress }),
  });
}

/** A verifier key given as text, or as a file that holds it. */
export async function keyFrom(text: string): Promise<VerifierKey> {
  const key = parseVerifierKey(text) ?? parseVerifierKey(await readFile(text, 'utf8'));
  if (key !== null) return key;
  throw new VerifierError('VERIFY_SOURCE_UNREADABLE', 'That is no verifier key.');
}
