// SPDX-License-Identifier: Apache-2.0
import { textOf } from './bytes.ts';
import { VerifierError } from './codes.ts';
import { tiledSource, tilePath } from './source.ts';
import type { LogSource } from './source.ts';

/** One file of a log, wherever it is kept. */
export type LogFile = {
  /** Bytes from one place up to, not including, another, as far as there are any now. */
  readonly read: (from: number, to: number) => Promise<Uint8Array>;
};

const segmentPattern = /^segment-(\d{16})\.log$/;
const chunkBytes = 1024 * 1024;
/** Of a tile, a bundle of entries, a checkpoint or the header. */
const resourceBytesMax = 32 * 1024 * 1024;
/** No recorder writes longer lines; what is longer is cut here and fits no hash. */
const lineBytesMax = 1024 * 1024;

/**
 * A log given as files by their paths in its directory, as a page of a browser has them: a recorder's
 * own with its segments, or one laid out as C2SP tlog-tiles says. Throws `VerifierError`.
 */
export async function filesSource(files: ReadonlyMap<string, LogFile>): Promise<LogSource> {
  const tiled = {
    ...tiledSource(async (path) => {
      const file = files.get(path);
      return file === undefined ? null : file.read(0, resourceBytesMax);
    }),
    widths: async (level: number, index: number) => widthsIn(files, level, index),
  };
  const segments = [...files.keys()].filter((path) => segmentPattern.test(path)).sort();
  const header = files.get('header.json');
  if (segments.length === 0 && header === undefined) return tiled;
  let cutOff = false;
  return {
    ...tiled,
    origin: originIn(header === undefined ? '' : textOf(await header.read(0, resourceBytesMax))),
    incomplete: () => cutOff,
    entries: async function* () {
      for (const segment of segments) {
        const file = files.get(segment);
        if (file !== undefined) cutOff = yield* linesOf(file);
      }
    },
  };
}

/** What the header of a recorder's directory says that its checkpoints begin with. */
export function originIn(header: string | null): string {
  const [, format = '', name = ''] =
    /^\{"format":"maso-record-log\/(\d+)","name":"([\w-]{22,64})"\}\n$/.exec(header ?? '') ?? [];
  if (format === '1') {
    throw new VerifierError('VERIFY_FORMAT_OLD', 'The log was written by an earlier version.');
  }
  return format === '2' ? `maso/log/${name}` : '';
}

function widthsIn(
  files: ReadonlyMap<string, LogFile>,
  level: number,
  index: number,
): readonly number[] {
  return Array.from({ length: 255 }, (_, at) => at + 1)
    .filter((width) => files.has(tilePath(level, index, width)));
}

/**
 * Runs of whole lines. Returns whether something follows the last line feed. What is handed out is a
 * view of one buffer, good until the next run is asked for: a fresh one for each run would lie about
 * by the hundred before it is collected.
 */
async function* linesOf(file: LogFile): AsyncGenerator<readonly Uint8Array[], boolean> {
  let buffer = new Uint8Array(0);
  let kept = 0;
  for (let at = 0; ; ) {
    // A running recorder may still write here: what there is, is known only when it is read.
    const bytes = await file.read(at, at + chunkBytes);
    if (bytes.length === 0) return kept > 0;
    at += bytes.length;
    if (buffer.length < kept + bytes.length) {
      const larger = new Uint8Array(kept + bytes.length);
      larger.set(buffer.subarray(0, kept));
      buffer = larger;
    }
    buffer.set(bytes, kept);
    const end = kept + bytes.length;
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let feed = buffer.indexOf(10); feed >= 0 && feed < end; feed = buffer.indexOf(10, start)) {
      lines.push(buffer.subarray(start, feed));
      start = feed + 1;
    }
    yield lines;
    kept = Math.min(end - start, lineBytesMax);
    buffer.copyWithin(0, start, start + kept);
  }
}
