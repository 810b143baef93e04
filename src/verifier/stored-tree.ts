// SPDX-License-Identifier: Apache-2.0
import { sameBytes } from './bytes.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Findings } from './findings.ts';
import type { LogSource } from './source.ts';
import { hashLength, tileWidth, TileTree } from './tree.ts';
import type { TreeHashes } from './tree.ts';

/** The leaf hashes of 256 positions: as the log keeps them in its tile, and as the entries have them. */
type Chunk = {
  readonly index: number;
  /** As many hashes as the published tile has; null when it is not there. */
  readonly stored: Uint8Array | null;
  readonly actual: Uint8Array;
};

export type Held = { readonly checkpoint: Checkpoint; readonly by: 'entries' | 'tiles' | 'none' };

/**
 * Holds the tiles of a log against its entries, and both against the signed roots. While tiles and
 * entries agree they are one tree; from where they part both are followed, and the signed roots say
 * which of them was changed.
 */
export class StoredTree {
  readonly #source: LogSource;
  readonly #hashes: TreeHashes;
  readonly #findings: Findings;
  readonly #checkpoints: readonly Checkpoint[];
  /** Entries that the tiles cover. */
  readonly published: number;
  readonly #cache = new Map<number, Uint8Array | null>();
  readonly held: Held[] = [];
  #tiles: TileTree;
  /** The tree of the entries, from where it parts from the one of the tiles. */
  #entries: TileTree | null = null;
  #chunk: Chunk | null = null;

  constructor(options: {
    readonly source: LogSource;
    readonly hashes: TreeHashes;
    readonly findings: Findings;
    readonly checkpoints: readonly Checkpoint[];
    readonly published: number;
  }) {
    this.#source = options.source;
    this.#hashes = options.hashes;
    this.#findings = options.findings;
    this.#checkpoints = options.checkpoints;
    this.published = options.published;
    this.#tiles = new TileTree(options.hashes);
  }

  /** Makes the chunk of a position the current one; those before it are closed on the way. */
  async open(position: number): Promise<void> {
    const index = Math.floor(position / tileWidth);
    while (this.#chunk === null || this.#chunk.index < index) {
      const next = this.#chunk === null ? 0 : this.#chunk.index + 1;
      await this.#close();
      const actual = new Uint8Array(tileWidth * hashLength);
      this.#chunk = { index: next, stored: await this.#leaves(next), actual };
    }
  }

  /** Whether the current chunk is the one of the position. */
  isOpen(position: number): boolean {
    return this.#chunk?.index === Math.floor(position / tileWidth);
  }

  /** Puts an entry at its position of the current chunk; false when the tile has another there. */
  placeEntry(position: number, bytes: Uint8Array): boolean {
    const chunk = this.#chunk;
    if (chunk === null) return true;
    const { actual, stored } = chunk;
    const at = (position % tileWidth) * hashLength;
    this.#hashes.writeLeaf(bytes, actual, at);
    if (stored === null || at >= stored.length) return true;
    for (let byte = at; byte < at + hashLength; byte += 1) if (actual[byte] !== stored[byte]) return false;
    return true;
  }

  /** Puts the hash of an entry at its position of the current chunk; false when the tile differs. */
  place(position: number, leaf: Uint8Array): boolean {
    const chunk = this.#chunk;
    if (chunk === null) return true;
    const at = (position % tileWidth) * hashLength;
    chunk.actual.set(leaf, at);
    return chunk.stored === null || at >= chunk.stored.length || hasAt(chunk.stored, at, leaf);
  }

  /** Whether the tiles hold this hash at a position anywhere; null where they do not say. */
  async holds(position: number, leaf: Uint8Array): Promise<boolean | null> {
    if (!(position < this.published)) return null;
    const stored = await this.#leaves(Math.floor(position / tileWidth));
    const at = (position % tileWidth) * hashLength;
    if (stored === null || at >= stored.length) return null;
    return hasAt(stored, at, leaf);
  }

  /** Closes all up to the largest checkpoint, and looks at the right edge of the tiles. */
  async finish(target: number): Promise<void> {
    if (target > 0) await this.open(target - 1);
    await this.#close();
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.size > 0) continue;
      const empty = sameBytes(this.#hashes.sha256(new Uint8Array(0)), checkpoint.root);
      this.held.push({ checkpoint, by: empty ? 'entries' : 'none' });
    }
  }

  async #close(): Promise<void> {
    const chunk = this.#chunk;
    if (chunk === null) return;
    const { index, stored, actual } = chunk;
    const leaves = actual.slice();
    if (stored !== null) leaves.set(stored);
    if (this.#entries === null && !sameBytes(leaves, actual)) this.#entries = this.#tiles.copy();
    const from = index * tileWidth;
    for (const checkpoint of this.#checkpoints) {
      const count = checkpoint.size - from;
      if (count < 1 || count > tileWidth) continue;
      this.held.push({ checkpoint, by: this.#matches(checkpoint, leaves, actual, count) });
    }
    const edge = this.published - from;
    if (edge >= 1 && edge <= tileWidth) await this.#checkEdge(leaves, edge);
    const upper = this.#tiles.add(leaves);
    this.#entries?.add(actual);
    let place = index;
    for (const [below, tile] of upper.entries()) {
      place = Math.floor(place / tileWidth);
      const end = (place + 1) * tileWidth ** (below + 2);
      if (end <= this.published) await this.#compare(below + 1, place, tile);
    }
  }

  #matches(
    { root }: Checkpoint,
    leaves: Uint8Array,
    actual: Uint8Array,
    count: number,
  ): Held['by'] {
    const length = count * hashLength;
    const tiles = sameBytes(this.#tiles.root(leaves.subarray(0, length)), root);
    if (this.#entries === null) return tiles ? 'entries' : 'none';
    if (sameBytes(this.#entries.root(actual.subarray(0, length)), root)) return 'entries';
    return tiles ? 'tiles' : 'none';
  }

  /** The unfinished tiles of the published size, and narrower ones that readers may still want. */
  async #checkEdge(leaves: Uint8Array, count: number): Promise<void> {
    const tree = this.#tiles.copy();
    if (count === tileWidth) tree.add(leaves);
    const rows: Uint8Array[] = [count === tileWidth ? new Uint8Array(0) : leaves.slice(0, count * hashLength)];
    rows.push(...tree.edge());
    let unit = 1;
    for (const [level, row] of rows.entries()) {
      const index = Math.floor(this.published / unit / tileWidth);
      if (row.length > 0 && level > 0) await this.#compare(level, index, row);
      for (const width of (await this.#source.widths?.(level, index)) ?? []) {
        // A wider one belongs to a checkpoint that a running recorder is about to publish.
        if (width * hashLength >= row.length) continue;
        const tile = await this.#source.tile(level, index, width);
        const first = row.subarray(0, width * hashLength);
        if (tile !== null && !sameBytes(tile, first)) this.#wrong(level, index);
      }
      unit *= tileWidth;
    }
  }

  async #compare(level: number, index: number, expected: Uint8Array): Promise<void> {
    const width = expected.length / hashLength;
    const tile = await this.#read(level, index, width);
    if (tile === null) this.#findings.add('VERIFY_TILE_MISSING', index * tileWidth ** (level + 1));
    else if (!sameBytes(tile, expected)) this.#wrong(level, index);
  }

  #wrong(level: number, index: number): void {
    this.#findings.add('VERIFY_TILE_WRONG', index * tileWidth ** (level + 1));
  }

  /** The tile of leaves, as wide as the published checkpoint says; null when it is not there. */
  async #leaves(index: number): Promise<Uint8Array | null> {
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    const width = Math.min(tileWidth, this.published - index * tileWidth);
    if (width < 1) return null;
    const tile = await this.#read(0, index, width);
    const whole = tile?.length === width * hashLength ? tile : null;
    if (tile === null) this.#findings.add('VERIFY_TILE_MISSING', index * tileWidth);
    else if (whole === null) this.#wrong(0, index);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size >= 4 && oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(index, whole);
    return whole;
  }

  async #read(level: number, index: number, width: number): Promise<Uint8Array | null> {
    const exact = await this.#source.tile(level, index, width);
    if (exact !== null || width === tileWidth) return exact;
    const full = await this.#source.tile(level, index, tileWidth);
    return full?.slice(0, width * hashLength) ?? null;
  }
}

function hasAt(tile: Uint8Array, from: number, hash: Uint8Array): boolean {
  for (let at = 0; at < hashLength; at += 1) if (tile[from + at] !== hash[at]) return false;
  return true;
}
