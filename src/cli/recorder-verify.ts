// SPDX-License-Identifier: Apache-2.0
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { keysOf } from '../recorder/head.ts';
import { verifyLog, type VerifyReport } from '../recorder/verify.ts';
import { codeEntry } from '../process/codes.ts';
import { nodeDirectories } from '../process/directories.ts';
import { recorderKeyFile } from '../process/node-recorder.ts';
import type { CommandIo } from './check.ts';
import { withProgress } from './progress.ts';
import { stateDirectoryOf } from './state.ts';

type VerifyOptions = {
  readonly state: string;
  readonly log?: string;
  readonly head?: string;
  readonly key?: string;
  readonly json: boolean;
};

const findingsShown = 20;

/**
 * `maso recorder verify`: reads the log and the signed head and trusts neither the process that
 * wrote them nor their indexes. Exit 1 when anything was edited, removed, reordered or cut off.
 */
export async function recorderVerify(options: VerifyOptions, io: CommandIo): Promise<number> {
  const directories = nodeDirectories(stateDirectoryOf(options.state, null));
  const report = await verifyDirectory({
    log: options.log ?? directories.log,
    head: options.head ?? join(directories.heads, 'recorder-head.jws'),
    key: options.key ?? join(directories.heads, recorderKeyFile),
    progress: (entries) => io.err(`${entries} entries read`),
  });
  if (options.json) io.out(JSON.stringify(report));
  else for (const line of describe(report)) io.out(line);
  return report.ok ? 0 : 1;
}

/** Verifies a log directory against a head file under a recorder's public key (JWK file). */
export async function verifyDirectory(paths: {
  readonly log: string;
  readonly head: string;
  readonly key: string;
  /** Told every two seconds how far it is. */
  readonly progress?: (entries: number) => void;
}): Promise<VerifyReport> {
  // The head first: a running recorder may write a newer one while the log is being read.
  const head = (await readFile(paths.head, 'utf8')).trim();
  const jwk: unknown = JSON.parse(await readFile(paths.key, 'utf8'));
  const key = createPublicKey({ key: jwk as never, format: 'jwk' });
  const reader = await openRecordLogReader(paths.log);
  return verifyLog({
    name: reader.name,
    lines: withProgress(reader.read(0, Number.MAX_SAFE_INTEGER), paths.progress ?? (() => undefined)),
    heads: [head],
    keys: keysOf([key]),
  });
}

function describe(report: VerifyReport): readonly string[] {
  const lines = report.findings.slice(0, findingsShown).map((finding) => {
    const means = codeEntry(finding.code)?.means ?? '';
    return `${finding.level === 'error' ? 'FAULT' : 'note '} entry ${finding.sequence}: ${finding.code}  ${means}`;
  });
  const hidden = report.findingsTotal - lines.length;
  if (hidden > 0) lines.push(`... and ${hidden} more (--json shows all that were kept)`);
  lines.push(
    report.ok
      ? `The log verifies: ${report.entries} entries, ${report.coveredByHead} of them under the signed head.`
      : `The log does NOT verify: ${report.findingsTotal} finding(s) in ${report.entries} entries.`,
  );
  return lines;
}
