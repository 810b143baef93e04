// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { readTileFile } from '../adapters/record-log-tiles.ts';
import { nodeDirectories } from '../process/directories.ts';
import { cosignedFile } from '../process/node-recorder.ts';
import { checkpointSize } from '../recorder/checkpoint.ts';
import { RecorderError } from '../recorder/entry.ts';
import { inclusionProof } from '../recorder/tree-proof.ts';
import type { CommandIo } from './check.ts';
import { stateDirectoryOf } from './state.ts';

type ProveOptions = {
  readonly sequence: string;
  readonly state: string;
  readonly log?: string;
  readonly checkpoint?: string;
  readonly out?: string;
};

/**
 * `maso recorder prove SEQUENCE`: one entry and its proof (C2SP tlog-proof), which `maso-verify
 * --proof` checks without the log. Under the newest cosigned checkpoint that covers the entry, or
 * else under the newest one. Rejects with `RecorderError`.
 */
export async function recorderProve(options: ProveOptions, io: CommandIo): Promise<number> {
  const directories = nodeDirectories(stateDirectoryOf(options.state, null));
  const directory = options.log ?? directories.log;
  const index = Number(options.sequence);
  const { line, proof } = await proveEntry(index, directory, [
    options.checkpoint ?? join(directories.checkpoints, cosignedFile),
    options.checkpoint ?? join(directory, 'checkpoint'),
  ]);
  const out = options.out ?? `entry-${index}`;
  await writeFile(join(io.directory, `${out}.json`), line);
  await writeFile(join(io.directory, `${out}.tlog-proof`), proof);
  io.out(`wrote ${out}.json and ${out}.tlog-proof`);
  return 0;
}

/** An entry and its proof under the first of the checkpoints that covers it. */
export async function proveEntry(
  index: number,
  directory: string,
  checkpoints: readonly string[],
): Promise<{ readonly line: Uint8Array; readonly proof: string }> {
  const checkpoint = await newestOver(index, checkpoints);
  const path = await inclusionProof(index, checkpointSize(checkpoint), (level, at, width) =>
    readTileFile(directory, level, at, width),
  );
  const hashes = path.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  const proof = `c2sp.org/tlog-proof@v1\nindex ${index}\n${hashes}\n${checkpoint}`;
  return { line: await lineAt(directory, index), proof };
}

/** The first of the checkpoints that is there and covers the entry. */
async function newestOver(index: number, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => {
      // There is no cosigned one without a witness; the next is tried, or the entry has no proof.
      return null;
    });
    if (text !== null && checkpointSize(text) > index) return text;
  }
  throw new RecorderError('RECORDER_PROOF_RANGE', 'No checkpoint covers this entry.');
}

async function lineAt(directory: string, index: number): Promise<Uint8Array> {
  const reader = await openRecordLogReader(directory);
  for await (const line of reader.read(index, index + 1)) return line;
  throw new RecorderError('RECORDER_PROOF_RANGE', 'The log has no such entry.');
}
