// SPDX-License-Identifier: Apache-2.0
import { joined, sameBytes } from './bytes.ts';
import type { Sha256 } from './sha256.ts';

/** Hashes in a full tile of C2SP tlog-tiles. */
export const tileWidth = 256;
export const hashLength = 32;

const nodeBytes = 1 + 2 * hashLength;
const pairs = tileWidth / 2;

/** The hashes of RFC 9162, section 2.1, over any SHA-256. */
export class TreeHashes {
  readonly #sha256: Sha256;
  /** Begins with a zero; used again for every entry. */
  #leaf = new Uint8Array(4096);
  /** Of a row that is folded: each pair of hashes behind the byte that makes it a node. */
  readonly #row = new Uint8Array(pairs * nodeBytes);
  readonly #nodes: readonly Uint8Array[];
  readonly #node = new Uint8Array(nodeBytes);

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
    this.#node[0] = 1;
    for (let at = 0; at < pairs; at += 1) this.#row[at * nodeBytes] = 1;
    this.#nodes = Array.from({ length: pairs }, (_, at) =>
      this.#row.subarray(at * nodeBytes, (at + 1) * nodeBytes),
    );
  }

  sha256(bytes: Uint8Array): Uint8Array {
    const hash = new Uint8Array(hashLength);
    this.#sha256(bytes, hash, 0);
    return hash;
  }

  leaf(entry: Uint8Array): Uint8Array {
    const hash = new Uint8Array(hashLength);
    this.writeLeaf(entry, hash, 0);
    return hash;
  }

  /** Writes the hash of an entry into 32 bytes, from `at` on. */
  writeLeaf(entry: Uint8Array, into: Uint8Array, at: number): void {
    const length = entry.length + 1;
    if (length > this.#leaf.length) this.#leaf = new Uint8Array(length * 2);
    this.#leaf.set(entry, 1);
    this.#sha256(this.#leaf.subarray(0, length), into, at);
  }

  node(left: Uint8Array, right: Uint8Array): Uint8Array {
    this.#node.set(left, 1);
    this.#node.set(right, 1 + hashLength);
    return this.sha256(this.#node);
  }

  /** The root over hashes that stand side by side, from one of them to 256. */
  fold(hashes: Uint8Array): Uint8Array {
    const row = this.#row;
    let count = hashes.length / hashLength;
    if (count === 1) return hashes.slice();
    for (let at = 0; at < count; at += 1) copyHash(hashes, at * hashLength, row, placeOf(at));
    while (count > 1) {
      const half = count >>> 1;
      for (let at = 0; at < half; at += 1) {
        const node = this.#nodes[at];
        if (node !== undefined) this.#sha256(node, row, placeOf(at));
      }
      // The last of an odd number goes up as it is.
      if (count % 2 === 1) copyHash(row, placeOf(count - 1), row, placeOf(half));
      count = half + (count % 2);
    }
    return row.slice(1, 1 + hashLength);
  }
}

/** Where a hash of the row stands among the nodes. */
function placeOf(at: number): number {
  return (at >>> 1) * nodeBytes + 1 + (at & 1) * hashLength;
}

function copyHash(from: Uint8Array, at: number, into: Uint8Array, to: number): void {
  for (let byte = 0; byte < hashLength; byte += 1) into[to + byte] = from[at + byte] ?? 0;
}

/**
 * A tree that is fed whole tiles of 256 leaves: per level the hashes since the last full tile. Says
 * of each tile of the upper levels what it must be, and the root at any end.
 */
export class TileTree {
  readonly #hashes: TreeHashes;
  readonly #levels: Uint8Array[][];

  constructor(hashes: TreeHashes, levels: Uint8Array[][] = []) {
    this.#hashes = hashes;
    this.#levels = levels;
  }

  copy(): TileTree {
    return new TileTree(this.#hashes, this.#levels.map((level) => [...level]));
  }

  /** Takes a full tile of leaf hashes; returns the tiles of higher levels that it completes. */
  add(leaves: Uint8Array): readonly Uint8Array[] {
    const full: Uint8Array[] = [];
    let root = this.#hashes.fold(leaves);
    for (let level = 0; ; level += 1) {
      const row = (this.#levels[level] ??= []);
      row.push(root);
      if (row.length < tileWidth) return full;
      const tile = joined(...row);
      full.push(tile);
      this.#levels[level] = [];
      root = this.#hashes.fold(tile);
    }
  }

  /** The unfinished tiles of level 1 and up; empty ones have no bytes. */
  edge(): readonly Uint8Array[] {
    return this.#levels.map((row) => joined(...row));
  }

  /** The root over everything added, followed by these leaf hashes. */
  root(leaves: Uint8Array): Uint8Array {
    let below = leaves.length === 0 ? null : this.#hashes.fold(leaves);
    for (const row of this.#levels) {
      const all = below === null ? joined(...row) : joined(...row, below);
      if (all.length > 0) below = this.#hashes.fold(all);
    }
    return below ?? this.#hashes.sha256(new Uint8Array(0));
  }
}

export type Inclusion = {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
};

/** RFC 9162, section 2.1.3.2. */
export function includes(hashes: TreeHashes, proof: Inclusion): boolean {
  const { index, size, leaf, path, root } = proof;
  if (!(isCount(index) && isCount(size) && index < size)) return false;
  let at = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = hashes.node(sibling, hash);
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = half(last);
      }
    } else {
      hash = hashes.node(hash, sibling);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && sameBytes(hash, root);
}

export type Consistency = {
  readonly older: { readonly size: number; readonly root: Uint8Array };
  readonly newer: { readonly size: number; readonly root: Uint8Array };
  readonly path: readonly Uint8Array[];
};

/** RFC 9162, section 2.1.4.2; an older tree without entries is part of every tree. */
export function extendsTree(hashes: TreeHashes, proof: Consistency): boolean {
  const { older, newer, path } = proof;
  if (!(isCount(older.size) && isCount(newer.size) && older.size <= newer.size)) return false;
  if (older.size === newer.size) return path.length === 0 && sameBytes(older.root, newer.root);
  if (older.size === 0) {
    return path.length === 0 && sameBytes(older.root, hashes.sha256(new Uint8Array(0)));
  }
  const rest = isPowerOfTwo(older.size) ? [older.root, ...path] : [...path];
  const [first] = rest;
  if (path.length === 0 || first === undefined) return false;
  let at = older.size - 1;
  let last = newer.size - 1;
  while (at % 2 === 1) {
    at = half(at);
    last = half(last);
  }
  let old = first;
  let now = first;
  for (const hash of rest.slice(1)) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      old = hashes.node(hash, old);
      now = hashes.node(hash, now);
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = half(last);
      }
    } else {
      now = hashes.node(now, hash);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && sameBytes(old, older.root) && sameBytes(now, newer.root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
