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

/** Runs of whole lines. Returns whether something follows the last line feed. */
async function* linesOf(file: LogFile): AsyncGenerator<readonly Uint8Array[], boolean> {
  let rest = new Uint8Array(0);
  for (let at = 0; ; ) {
    // A running recorder may still write here: what there is, is known only when it is read.
    const bytes = await file.read(at, at + chunkBytes);
    if (bytes.length === 0) return rest.length > 0;
    at += bytes.length;
    // A fresh chunk each time: the lines that are handed out are views of it.
    const chunk = new Uint8Array(rest.length + bytes.length);
    chunk.set(rest);
    chunk.set(bytes, rest.length);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      lines.push(chunk.subarray(start, end));
      start = end + 1;
    }
    yield lines;
    rest = chunk.slice(start, start + lineBytesMax);
  }
}
