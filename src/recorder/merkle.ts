// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

/** A SHA-256 hash. */
export const hashBytes = 32;
/** Hashes of one full tile (C2SP tlog-tiles). */
export const tileWidth = 256;
const tileBytes = tileWidth * hashBytes;

/**
 * A tile of the tree, as C2SP tlog-tiles lays it out: up to 256 hashes of one level, side by side.
 * A tile of width 256 never changes; a narrower one is the right edge of the tree at some size.
 */
export type Tile = {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  readonly bytes: Uint8Array;
};

/** RFC 9162, section 2.1.1: the hash of an entry. */
export function leafHash(line: string | Uint8Array): Uint8Array {
  if (typeof line === 'string') return hashOf(`\0${line}`);
  const bytes = Buffer.allocUnsafe(line.length + 1);
  bytes[0] = 0;
  bytes.set(line, 1);
  return hashOf(bytes);
}

/** As a text of one character per byte, which the engine gives out in half the time of a buffer. */
function hashOf(bytes: string | Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary');
}

/** The root of a tree without entries. */
export const emptyRoot: Uint8Array = hash('sha256', '', 'buffer');

const pair = Buffer.allocUnsafe(1 + 2 * hashBytes);
pair[0] = 1;

/** Hashes side by side, folded to their root. The last of an odd number goes up as it is. */
export function rootOf(hashes: Uint8Array): Uint8Array {
  if (hashes.length === 0) return emptyRoot;
  const row = Buffer.from(hashes);
  for (let count = row.length / hashBytes; count > 1; count = Math.ceil(count / 2)) {
    for (let at = 0; at < count; at += 2) {
      const from = at * hashBytes;
      const to = from / 2;
      if (at + 1 === count) {
        row.copyWithin(to, from, from + hashBytes);
      } else {
        row.copy(pair, 1, from, from + 2 * hashBytes);
        row.write(hash('sha256', pair, 'binary'), to, hashBytes, 'binary');
      }
    }
  }
  return row.subarray(0, hashBytes);
}

type Level = { readonly bytes: Uint8Array; width: number; index: number };

/**
 * The Merkle tree of the log as it grows. Holds the right edge (one unfinished tile per level) and
 * those full tiles that nobody has taken yet; so its memory does not grow with the log as long as
 * somebody takes them.
 */
export class GrowingTree {
  readonly #levels: Level[] = [];
  #full: Tile[] = [];
  #size = 0;

  /** Entries so far. */
  get size(): number {
    return this.#size;
  }

  /** Full tiles that wait to be taken. */
  get waitingTiles(): number {
    return this.#full.length;
  }

  append(leaf: Uint8Array): void {
    this.#put(0, leaf);
    this.#size += 1;
  }

  root(): Uint8Array {
    let below: Uint8Array | null = null;
    for (const { bytes, width } of this.#levels) {
      const row = bytes.subarray(0, width * hashBytes);
      if (below !== null) below = rootOf(Buffer.concat([row, below]));
      else if (width > 0) below = rootOf(row);
    }
    return below ?? emptyRoot;
  }

  /** The full tiles since the last call, each before what is made of it. */
  takeFullTiles(): readonly Tile[] {
    const taken = this.#full;
    this.#full = [];
    return taken;
  }

  /** Tiles that were taken and could not be written come back, to be taken first. */
  giveBack(tiles: readonly Tile[]): void {
    this.#full = [...tiles, ...this.#full];
  }

  /** The unfinished tiles of the tree as it is now. */
  edge(): readonly Tile[] {
    return this.#levels.flatMap(({ bytes, width, index }, level) =>
      width === 0 ? [] : [{ level, index, width, bytes: bytes.slice(0, width * hashBytes) }],
    );
  }

  /**
   * The tree of the first `size` entries, `size` a multiple of 256, from the full tiles that were
   * kept. Null when one of them is not there. Whether they are the right ones shows in the root.
   */
  static async restore(
    size: number,
    readFullTile: (level: number, index: number) => Promise<Uint8Array | null>,
  ): Promise<GrowingTree | null> {
    const tree = new GrowingTree();
    tree.#size = size;
    let count = size;
    for (let level = 0; count > 0; level += 1) {
      const width = count % tileWidth;
      const index = Math.floor(count / tileWidth);
      const edge = tree.#levelAt(level);
      edge.index = index;
      for (let at = 0; at < width; at += 1) {
        const below = level === 0 ? null : await readFullTile(level - 1, index * tileWidth + at);
        if (below?.length !== tileBytes) return null;
        edge.bytes.set(rootOf(below), at * hashBytes);
      }
      edge.width = width;
      count = index;
    }
    return tree;
  }

  #put(level: number, hashed: Uint8Array): void {
    const edge = this.#levelAt(level);
    edge.bytes.set(hashed, edge.width * hashBytes);
    edge.width += 1;
    if (edge.width < tileWidth) return;
    const bytes = edge.bytes.slice();
    this.#full.push({ level, index: edge.index, width: tileWidth, bytes });
    edge.width = 0;
    edge.index += 1;
    this.#put(level + 1, rootOf(bytes));
  }

  #levelAt(level: number): Level {
    let edge = this.#levels[level];
    if (edge === undefined) {
      edge = { bytes: new Uint8Array(tileBytes), width: 0, index: 0 };
      this.#levels[level] = edge;
    }
    return edge;
  }
}
