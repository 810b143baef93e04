// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { RecorderError } from './entry.ts';
import { emptyRoot, hashBytes, rootOf, tileWidth } from './merkle.ts';

/** The tile with at least so many hashes, or null when it is not kept. */
export type ReadTile = (level: number, index: number, width: number) => Promise<Uint8Array | null>;

/**
 * RFC 9162, section 2.1.3: the hashes that lead from entry `index` to the root of the first `size`
 * entries. Rejects with `RECORDER_PROOF_RANGE`, or `RECORDER_TILE_MISSING` where tiles are gone.
 */
export async function inclusionProof(
  index: number,
  size: number,
  readTile: ReadTile,
): Promise<readonly Uint8Array[]> {
  if (!(isCount(index) && isCount(size) && index < size)) throw outOfRange();
  const tree = new StoredTree(size, readTile);
  const path: Uint8Array[] = [];
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.unshift(await tree.hashOf(middle, to));
      to = middle;
    } else {
      path.unshift(await tree.hashOf(from, middle));
      from = middle;
    }
  }
  return path;
}

/**
 * RFC 9162, section 2.1.4: proves that the tree of `newer` entries begins with the tree of `older`
 * ones. Empty when `older` is 0 or both are the same. Rejects as `inclusionProof` does.
 */
export async function consistencyProof(
  older: number,
  newer: number,
  readTile: ReadTile,
): Promise<readonly Uint8Array[]> {
  if (!(isCount(older) && isCount(newer) && older <= newer)) throw outOfRange();
  if (older === 0 || older === newer) return [];
  const tree = new StoredTree(newer, readTile);
  const proof: Uint8Array[] = [];
  let from = 0;
  let to = newer;
  /** Whether the part under way begins where the older tree did: then its root is known. */
  let whole = true;
  while (to > older) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      proof.unshift(await tree.hashOf(middle, to));
      to = middle;
    } else {
      proof.unshift(await tree.hashOf(from, middle));
      from = middle;
      whole = false;
    }
  }
  return whole ? proof : [await tree.hashOf(from, to), ...proof];
}

/** The root of the first `size` entries. Rejects as `inclusionProof` does. */
export async function storedRoot(size: number, readTile: ReadTile): Promise<Uint8Array> {
  if (!isCount(size)) throw outOfRange();
  return size === 0 ? emptyRoot : new StoredTree(size, readTile).hashOf(0, size);
}

class StoredTree {
  readonly #size: number;
  readonly #readTile: ReadTile;
  readonly #cache = new Map<string, Uint8Array>();

  constructor(size: number, readTile: ReadTile) {
    this.#size = size;
    this.#readTile = readTile;
  }

  /** Hash of the entries from `from` up to `to`, split as the tree splits them. */
  async hashOf(from: number, to: number): Promise<Uint8Array> {
    const count = to - from;
    if (isPowerOfTwo(count)) return this.#complete(from, count);
    const middle = from + splitOf(count);
    const left = await this.hashOf(from, middle);
    const right = await this.hashOf(middle, to);
    return hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer');
  }

  async #complete(from: number, count: number): Promise<Uint8Array> {
    let level = 0;
    let unit = 1;
    while (unit * tileWidth <= count) {
      level += 1;
      unit *= tileWidth;
    }
    const first = from / unit;
    const index = Math.floor(first / tileWidth);
    const tile = await this.#tile(level, index, Math.floor(this.#size / unit) - index * tileWidth);
    const start = (first - index * tileWidth) * hashBytes;
    return Buffer.from(rootOf(tile.subarray(start, start + (count / unit) * hashBytes)));
  }

  async #tile(level: number, index: number, hashes: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const width = Math.min(hashes, tileWidth);
    const tile = await this.#readTile(level, index, width);
    if (tile === null || tile.length < width * hashBytes) {
      throw new RecorderError('RECORDER_TILE_MISSING', `Tile ${key} of the log is missing.`);
    }
    this.#cache.set(key, tile);
    return tile;
  }
}

/** The largest power of two below the count: where RFC 9162 splits a tree. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function isPowerOfTwo(count: number): boolean {
  return 2 ** Math.round(Math.log2(count)) === count;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function outOfRange(): RecorderError {
  return new RecorderError('RECORDER_PROOF_RANGE', 'The log has no such entry or size.');
}
