// SPDX-License-Identifier: Apache-2.0
import { textOf } from './bytes.ts';
import { tileWidth } from './tree.ts';

/** Where a log is read from. Nothing that it says is believed. */
export type LogSource = {
  /** The newest checkpoint that the log publishes; null when there is none. */
  readonly checkpoint: () => Promise<string | null>;
  /**
   * Raw entries from the first on, in runs of any length; at most `size` need to be there. The bytes
   * of a run may be written over once the next one is asked for.
   */
  readonly entries: (size: number) => AsyncIterable<readonly Uint8Array[]>;
  /** The tile as it is kept under this very width; null when it is not. */
  readonly tile: (level: number, index: number, width: number) => Promise<Uint8Array | null>;
  /** What the log says its checkpoints begin with, where it says so anywhere else. */
  readonly origin?: string;
  /** Whether what was read last ended in the middle of an entry. */
  readonly incomplete?: () => boolean;
  /** Widths of unfinished tiles that are kept at a place, where the source can list them. */
  readonly widths?: (level: number, index: number) => Promise<readonly number[]>;
};

/** Gives a resource of a log by its path; null when there is none. Rejects when it cannot tell. */
export type Fetch = (path: string) => Promise<Uint8Array | null>;

/** The path of a tile, or of a bundle of entries, in C2SP tlog-tiles. */
export function tilePath(level: number | 'entries', index: number, width: number): string {
  let name = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`;
  }
  return `tile/${level}/${name}${width < tileWidth ? `.p/${width}` : ''}`;
}

/** A log as C2SP tlog-tiles lays it out, behind anything that gives bytes by path. */
export function tiledSource(fetchBytes: Fetch): LogSource {
  return {
    checkpoint: async () => {
      const bytes = await fetchBytes('checkpoint');
      return bytes === null ? null : (textOf(bytes) ?? '');
    },
    tile: (level, index, width) => fetchBytes(tilePath(level, index, width)),
    entries: (size) => bundles(fetchBytes, size),
  };
}

async function* bundles(
  fetchBytes: Fetch,
  size: number,
): AsyncGenerator<readonly Uint8Array[]> {
  for (let index = 0; index * tileWidth < size; index += 1) {
    const width = Math.min(tileWidth, size - index * tileWidth);
    const bytes =
      (await fetchBytes(tilePath('entries', index, width))) ??
      (width < tileWidth ? await fetchBytes(tilePath('entries', index, tileWidth)) : null);
    // Without a bundle nothing that follows has a place: the verifier says what is missing.
    if (bytes === null) return;
    yield entriesIn(bytes);
  }
}

/** Entries behind their lengths. What is cut off is given as it is, and will fit no hash. */
function entriesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    found.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}
