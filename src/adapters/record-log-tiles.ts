// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashBytes, tileWidth } from '../recorder/merkle.ts';
import type { Tile } from '../recorder/merkle.ts';
import { tilePath } from '../recorder/tile-path.ts';
import { makeFolders } from './folders.ts';

/** The file of the newest checkpoint in a directory that C2SP tlog-tiles describes. */
export const publishedCheckpoint = 'checkpoint';
const tilesAtOnce = 8;

/** Keeps tiles under the directory of a log, as `RecordLog` asks for. Rejects as the disk does. */
export async function writeTileFiles(directory: string, tiles: readonly Tile[]): Promise<void> {
  const queue = tiles.values();
  const work = async (): Promise<void> => {
    for (const tile of queue) await writeTile(directory, tile);
  };
  await Promise.all(Array.from({ length: Math.min(tilesAtOnce, tiles.length) }, work));
}

/**
 * Removes the tiles that were not full when the log had this size, but for those of the published
 * one. They are written without a flush, so that after a power failure they may hold anything.
 * Called only once the published ones are made anew: until then somebody may verify with the old ones.
 */
export async function dropPartialTiles(
  directory: string,
  size: number,
  published: number,
): Promise<void> {
  for (let unit = 1; unit === 1 || unit <= size; unit *= tileWidth) {
    const level = Math.round(Math.log2(unit) / 8);
    const index = Math.floor(size / unit / tileWidth);
    const isPublished = Math.floor(published / unit / tileWidth) === index;
    const kept = isPublished ? Math.floor(published / unit) % tileWidth : 0;
    const folder = `${join(directory, tilePath(level, index, tileWidth))}.p`;
    for (const name of await namesIn(folder)) {
      if (name !== String(kept)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (failure) {
    if (isAbsent(failure)) return [];
    throw failure;
  }
}

/** The first hashes of a tile, from the full one where there is one; null when there is none. */
export async function readTileFile(
  directory: string,
  level: number,
  index: number,
  width: number,
): Promise<Uint8Array | null> {
  const full = await readIfThere(join(directory, tilePath(level, index, tileWidth)));
  const found =
    full?.length === tileWidth * hashBytes
      ? full
      : await readIfThere(join(directory, tilePath(level, index, width)));
  return found?.subarray(0, width * hashBytes) ?? null;
}

/** Replaces the published checkpoint whole: a reader sees the old or the new one. */
export async function publishCheckpoint(directory: string, checkpoint: string): Promise<void> {
  const path = join(directory, publishedCheckpoint);
  await writeFile(`${path}.new`, checkpoint, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function writeTile(directory: string, tile: Tile): Promise<void> {
  const { level, index, width, bytes } = tile;
  const path = join(directory, tilePath(level, index, width));
  const full = width === tileWidth;
  if (full && (await readIfThere(path))?.equals(bytes) === true) return;
  const file = await createFile(`${path}.new`);
  try {
    await file.writeFile(bytes);
    if (full) await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  if (!full) return;
  await syncDirectory(dirname(path));
  await rm(`${path}.p`, { recursive: true, force: true });
}

async function createFile(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(path, 'w', 0o600);
  } catch (failure) {
    if (!isAbsent(failure)) throw failure;
    const created = makeFolders(dirname(path), 0o700);
    if (created !== undefined) await syncDirectory(dirname(created));
    return open(path, 'w', 0o600);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (failure) {
    if (isAbsent(failure)) return null;
    throw failure;
  }
}

function isAbsent(failure: unknown): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === 'ENOENT';
}
