// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { constants, existsSync } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../message/json.ts';
import { RecorderError } from '../recorder/entry.ts';

/** A file of the log, named by the position of its first line. */
export type Segment = { readonly first: number; readonly path: string };

/** Whole lines of a file, and the bytes that they take. What follows is an incomplete line. */
export type SegmentEnd = {
  readonly lines: number;
  readonly wholeBytes: number;
  readonly bytes: number;
  /** True when what follows is the start of one line and nothing else. */
  readonly partialLineOnly: boolean;
};

/** Lines of a log that somebody else may be writing, as they are on the disk now. */
export type RecordLogReader = {
  readonly name: string;
  /** Whole lines from `from` up to, not including, `to`; a last incomplete line is left out. */
  readonly read: (from: number, to: number) => AsyncIterable<Uint8Array>;
  /** Position of the first line of the newest file; 0 for an empty log. */
  readonly lastSegmentFirst: () => Promise<number>;
};

export const headerFile = 'header.json';
const headerFormat = 'maso-record-log/2';
/** Logs whose entries were linked to one another and had no tree. */
const oldFormat = 'maso-record-log/1';
const namePattern = /^[A-Za-z0-9_-]{22,64}$/;
const segmentPattern = /^segment-(\d{16})\.log$/;
const chunkBytes = 256 * 1024;
/** A longer line was not written by a recorder; it is yielded cut off, which no reader takes. */
const lineBytesMax = 1024 * 1024;
/** One append goes to one segment and is at most this long, so a torn one lies within it. */
export const appendBytesMax = 16 * 1024 * 1024;
const lineFeed = 10;

/** Opens a log for reading, also while its recorder writes. Rejects with `RecorderError`. */
export async function openRecordLogReader(directory: string): Promise<RecordLogReader> {
  const name = await readName(directory);
  return {
    name,
    read: async function* (from, to) {
      yield* readSegments(await listSegments(directory), from, to);
    },
    lastSegmentFirst: async () => (await listSegments(directory)).at(-1)?.first ?? 0,
  };
}

export function headerText(name: string): string {
  return `${JSON.stringify({ format: headerFormat, name })}\n`;
}

/**
 * Rejects with `RECORDER_FORMAT_OLD` for a log of an earlier version, `RECORDER_LOG_BROKEN` for a
 * header of another form, `RECORDER_LOG_MISSING` for a directory that is not there, and
 * `RECORDER_NOT_DURABLE` for one without a header.
 */
export async function readName(directory: string): Promise<string> {
  const text = await readFile(join(directory, headerFile), 'utf8').catch((cause: unknown) => {
    if (!existsSync(directory)) throw new RecorderError('RECORDER_LOG_MISSING', `There is no log at ${directory}.`, { cause });
    throw new RecorderError('RECORDER_NOT_DURABLE', 'The log has no readable header.', { cause });
  });
  const header = parseJson(text);
  if (isJsonObject(header) && header['format'] === oldFormat) {
    throw new RecorderError('RECORDER_FORMAT_OLD', 'The log was written by an earlier version.');
  }
  if (
    !isJsonObject(header) ||
    header['format'] !== headerFormat ||
    typeof header['name'] !== 'string' ||
    !namePattern.test(header['name']) ||
    headerText(header['name']) !== text
  ) {
    throw new RecorderError('RECORDER_LOG_BROKEN', 'The header of the log is not of its form.');
  }
  return header['name'];
}

export function segmentPath(directory: string, first: number): string {
  return join(directory, `segment-${String(first).padStart(16, '0')}.log`);
}

/** The segments in order of their first lines. */
export async function listSegments(directory: string): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for (const file of await readdir(directory)) {
    const first = segmentPattern.exec(file)?.[1];
    if (first !== undefined) segments.push({ first: Number(first), path: join(directory, file) });
  }
  return segments.sort((a, b) => a.first - b.first);
}

/**
 * Counts the whole lines. After a power loss the end of the last append may read as zeros with text
 * behind them: a line with a NUL byte near the end was never durable and counts as incomplete.
 */
export async function findSegmentEnd(path: string): Promise<SegmentEnd> {
  const file = await open(path, constants.O_RDONLY);
  try {
    const { size } = await file.stat();
    const limit = await firstZero(file, Math.max(0, size - appendBytesMax), size);
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let lines = 0;
    let wholeBytes = 0;
    for (let offset = 0; offset < limit; ) {
      const length = Math.min(chunkBytes, limit - offset);
      const { bytesRead } = await file.read(chunk, 0, length, offset);
      if (bytesRead === 0) break;
      for (let at = feedIn(chunk, 0, bytesRead); at >= 0; at = feedIn(chunk, at + 1, bytesRead)) {
        lines += 1;
        wholeBytes = offset + at + 1;
      }
      offset += bytesRead;
    }
    return { lines, wholeBytes, bytes: size, partialLineOnly: limit === size };
  } finally {
    await file.close();
  }
}

/** Raw lines, across segments. A missing segment shows as missing lines. */
export async function* readSegments(
  segments: readonly Segment[],
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (segment.first >= to) return;
    if (next !== undefined && next.first <= from) continue;
    let position = segment.first;
    for await (const line of readLines(segment.path)) {
      if (position >= to) return;
      if (position >= from) yield line;
      position += 1;
    }
  }
}

/** Raw lines of one file from a byte on; a last incomplete line is left out. */
export async function* readLines(
  path: string,
  from = 0,
  bytesAtOnce = chunkBytes,
): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (let offset = from; ; ) {
      // A fresh chunk each time: the lines that are handed out are views of it.
      const chunk = Buffer.allocUnsafeSlow(bytesAtOnce);
      const { bytesRead } = await file.read(chunk, 0, bytesAtOnce, offset);
      if (bytesRead === 0) return;
      offset += bytesRead;
      let start = 0;
      for (let at = feedIn(chunk, 0, bytesRead); at >= 0; at = feedIn(chunk, start, bytesRead)) {
        const line = chunk.subarray(start, at);
        yield rest.length === 0 ? line : Buffer.concat([rest, line]);
        rest = Buffer.alloc(0);
        start = at + 1;
      }
      const begun = chunk.subarray(start, bytesRead);
      if (rest.length < lineBytesMax) rest = Buffer.concat([rest, begun]);
    }
  } finally {
    await file.close();
  }
}

async function firstZero(
  file: Awaited<ReturnType<typeof open>>,
  from: number,
  to: number,
): Promise<number> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  for (let offset = from; offset < to; ) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(chunkBytes, to - offset), offset);
    if (bytesRead === 0) break;
    const zero = chunk.subarray(0, bytesRead).indexOf(0);
    if (zero >= 0) return offset + zero;
    offset += bytesRead;
  }
  return to;
}

function feedIn(chunk: Buffer, from: number, to: number): number {
  const at = chunk.indexOf(lineFeed, from);
  return at < to ? at : -1;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, so not a header; the caller refuses what is not an object.
    return null;
  }
}
