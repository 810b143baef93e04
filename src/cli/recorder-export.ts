// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolders } from '../adapters/folders.ts';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { writeTileFiles } from '../adapters/record-log-tiles.ts';
import { nodeDirectories } from '../process/directories.ts';
import { leafOfLine } from '../recorder/pruned-line.ts';
import { checkpointRoot, checkpointSize } from '../recorder/checkpoint.ts';
import { RecorderError } from '../recorder/entry.ts';
import { GrowingTree, tileWidth } from '../recorder/merkle.ts';
import { tilePath } from '../recorder/tile-path.ts';
import type { CommandIo } from './check.ts';
import { stateDirectoryOf } from './state.ts';

type ExportOptions = {
  readonly directory: string;
  readonly state: string;
  readonly log?: string;
  readonly checkpoint?: string;
};

const tilesAtOnce = 64;

/**
 * `maso recorder export DIR`: the log up to its checkpoint as C2SP tlog-tiles lays one out, with
 * entry bundles, for any server of static files. Tiles are made from the entries, not copied.
 * Rejects with `RECORDER_FORKED` when they do not come to the root of the checkpoint.
 */
export async function recorderExport(options: ExportOptions, io: CommandIo): Promise<number> {
  const { log } = nodeDirectories(stateDirectoryOf(options.state, null));
  const source = options.log ?? log;
  const target = resolve(io.directory, options.directory);
  const checkpoint = await readFile(options.checkpoint ?? join(source, 'checkpoint'), 'utf8');
  const size = checkpointSize(checkpoint);
  const tree = new GrowingTree();
  const reader = await openRecordLogReader(source);
  let bundle: Uint8Array[] = [];
  for await (const line of reader.read(0, size)) {
    tree.append(leafOfLine(line));
    bundle.push(Buffer.of(line.length >> 8, line.length & 0xff), line);
    if (tree.size % tileWidth === 0 || tree.size === size) {
      await writeBundle(target, tree.size, bundle);
      bundle = [];
    }
    if (tree.waitingTiles >= tilesAtOnce) await writeTileFiles(target, tree.takeFullTiles());
  }
  if (!Buffer.from(tree.root()).equals(checkpointRoot(checkpoint))) {
    throw new RecorderError('RECORDER_FORKED', 'The entries are not those of the checkpoint.');
  }
  await writeTileFiles(target, [...tree.takeFullTiles(), ...tree.edge()]);
  makeFolders(target);
  await writeFile(join(target, 'checkpoint'), checkpoint);
  io.out(`wrote ${size} entries to ${options.directory}`);
  return 0;
}

async function writeBundle(target: string, size: number, parts: readonly Uint8Array[]) {
  const index = Math.ceil(size / tileWidth) - 1;
  const path = join(target, tilePath('entries', index, size - index * tileWidth));
  makeFolders(dirname(path));
  await writeFile(path, Buffer.concat(parts));
}
