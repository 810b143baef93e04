// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isJsonObject } from '../message/json.ts';
import { ReplayError, type ReplayCode } from './replay-codes.ts';

/** A labelled text; `label` and `channel` are names, so that they can be printed. */
export type CorpusRow = {
  readonly id: string;
  readonly text: string;
  readonly label: string;
  readonly channel: string;
};

export type CorpusItem =
  | { readonly ok: true; readonly line: number; readonly row: CorpusRow }
  | { readonly ok: false; readonly line: number; readonly code: ReplayCode };

/** One text must leave room in a message for the envelope around it. */
export const textBytesMax = 64 * 1024;
/** Beyond any row: JSON may write one byte of text as six. */
const lineBytesMax = 8 * textBytesMax;
const idLengthMax = 256;
const namePattern = /^[a-z][a-z0-9_-]{0,31}$/;
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/**
 * Reads a corpus of JSON lines once, from front to back, without holding more than one line and one
 * chunk. A gzip file is known by its first bytes, whatever its name. Whoever wrote the file chooses
 * every byte of it: lines are bounded before they are parsed, and nothing of a bad row is kept but
 * its number and a code. Rejects with `ReplayError` REPLAY_FILE_UNREADABLE, also in the middle of a
 * damaged file.
 */
export async function* readCorpus(path: string): AsyncGenerator<CorpusItem> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    if (line === null) yield { ok: false, line: number, code: 'REPLAY_ROW_TOO_LONG' };
    else if (!isBlank(line)) yield readRow(line, number);
  }
}

/** SHA-256 of the file as it lies on disk, hex. */
export async function corpusDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return hash.digest('hex');
}

/** Null stands for a line over the bound. */
async function* linesOf(path: string): AsyncGenerator<Buffer | null> {
  let kept: Buffer[] = [];
  let bytes = 0;
  const take = (): Buffer | null => {
    const line = bytes > lineBytesMax ? null : Buffer.concat(kept);
    kept = [];
    bytes = 0;
    return line;
  };
  const keep = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= lineBytesMax) kept.push(part);
    else kept = [];
  };
  for await (const chunk of chunksOf(path)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      keep(chunk.subarray(start, end));
      start = end + 1;
      yield take();
    }
    keep(chunk.subarray(start));
  }
  if (bytes > 0) yield take();
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    const packed = await startsWithGzip(path);
    const file = createReadStream(path);
    // A failure of either end ends both, and the loop below sees it.
    const stream: Readable = packed ? pipeline(file, createGunzip(), () => undefined) : file;
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): ReplayError {
  return new ReplayError('REPLAY_FILE_UNREADABLE', `${path} cannot be read.`, { cause });
}

async function startsWithGzip(path: string): Promise<boolean> {
  for await (const chunk of createReadStream(path, { end: 1 })) {
    return gzipMagic.equals(chunk as Buffer);
  }
  return false;
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function readRow(bytes: Buffer, line: number): CorpusItem {
  if (!isUtf8(bytes)) return { ok: false, line, code: 'REPLAY_ROW_NOT_UTF8' };
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    // Refused with its own code; the row is left out.
    return { ok: false, line, code: 'REPLAY_ROW_NOT_JSON' };
  }
  if (!isJsonObject(value)) return { ok: false, line, code: 'REPLAY_ROW_NOT_JSON' };
  const { id, text, label, channel } = value;
  const whole =
    typeof id === 'string' && id.length <= idLengthMax && typeof text === 'string';
  if (!whole || !isName(label) || !isName(channel)) {
    return { ok: false, line, code: 'REPLAY_ROW_INCOMPLETE' };
  }
  if (!text.isWellFormed()) return { ok: false, line, code: 'REPLAY_TEXT_ILL_FORMED' };
  if (!(Buffer.byteLength(text) <= textBytesMax)) {
    return { ok: false, line, code: 'REPLAY_TEXT_TOO_LONG' };
  }
  return { ok: true, line, row: { id, text, label, channel } };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && namePattern.test(value);
}
