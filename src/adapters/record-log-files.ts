// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import {
  constants,
  createReadStream,
  createWriteStream,
  fdatasync,
  fstatSync,
  write,
} from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { RecorderError } from '../recorder/entry.ts';
import type { Tile } from '../recorder/merkle.ts';
import type { AppendOptions, RecordLog } from '../recorder/record-log.ts';
import { makeFolders } from './folders.ts';
import { lockRecordLog } from './record-log-lock.ts';
import { DiskReserve } from './record-log-reserve.ts';
import {
  appendBytesMax,
  findSegmentEnd,
  headerFile,
  headerText,
  listSegments,
  readName,
  readSegments,
  segmentPath,
} from './record-log-segments.ts';
import type { Segment, SegmentEnd } from './record-log-segments.ts';
import { dropPartialTiles, publishCheckpoint, readTileFile, writeTileFiles } from './record-log-tiles.ts';

export type RecordLogFilesOptions = {
  /** Created with mode 0700 when absent; nobody but the recorder's uid should reach it. */
  readonly directory: string;
  /** A new segment starts when the current one has reached this size. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Space held for privileged entries; 0 holds none. Default 4 MiB. */
  readonly reserveBytes?: number;
};

const mebibyte = 1024 * 1024;
const writeAt = promisify(write);
const syncData = promisify(fdatasync);
/**
 * Where the platform has it, one write with O_DSYNC is as durable as write and fdatasync, in one
 * go.
 */
const syncFlag = constants.O_DSYNC ?? 0;
const appendFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | syncFlag;

/**
 * Opens the log in a directory, or creates it. Cuts off an incomplete last line. Rejects with
 * `RecorderError`: `RECORDER_LOCKED` when another process writes it, `RECORDER_LOG_BROKEN` when
 * the header or the first segment is gone, `RECORDER_NOT_DURABLE` or `RECORDER_FULL` otherwise.
 */
export async function openRecordLogFiles(options: RecordLogFilesOptions): Promise<RecordLog> {
  const { directory, segmentBytes = 64 * mebibyte, reserveBytes = 4 * mebibyte } = options;
  if (!(segmentBytes >= 1) || !(reserveBytes >= 0)) {
    throw new RecorderError('RECORDER_OPTIONS_INVALID', 'A size of the log is out of bounds.');
  }
  try {
    const created = makeFolders(directory, 0o700);
    if (created !== undefined) await syncParents(resolve(directory), dirname(created));
  } catch (cause) {
    throw asRecorderError(cause, 'The directory of the log cannot be created.');
  }
  const unlock = lockRecordLog(directory);
  const reserve = new DiskReserve(directory, reserveBytes);
  try {
    const log = await openLocked(directory, segmentBytes, reserve, unlock);
    await reserve.fill().catch(() => {
      // A full disk at start: only privileged entries are taken until the reserve can be filled.
    });
    return log;
  } catch (cause) {
    await reserve.close();
    unlock();
    throw asRecorderError(cause, 'The log cannot be opened.');
  }
}

async function openLocked(
  directory: string,
  segmentBytes: number,
  reserve: DiskReserve,
  unlock: () => void,
): Promise<RecordLog> {
  const segments = await listSegments(directory);
  const last = segments.at(-1);
  if (last === undefined) {
    const name = await createHeader(directory);
    const file = await createSegment(directory, 0);
    const tail = { path: segmentPath(directory, 0), first: 0, lines: 0, bytes: 0 };
    const parts = { name, directory, segmentBytes, reserve, unlock, file, tail };
    return new SegmentedRecordLog(parts, 0);
  }
  const name = await readName(directory);
  if (segments[0]?.first !== 0) {
    throw new RecorderError('RECORDER_LOG_BROKEN', 'The first segment of the log is gone.');
  }
  const end = await findSegmentEnd(last.path);
  const file = await open(last.path, appendFlags, 0o600);
  const tornBytes = end.bytes - end.wholeBytes;
  if (tornBytes > 0) {
    await keepTorn(directory, last, end);
    await file.truncate(end.wholeBytes);
    await file.sync();
  }
  const tail = { path: last.path, first: last.first, lines: end.lines, bytes: end.wholeBytes };
  const parts = { name, directory, segmentBytes, reserve, unlock, file, tail };
  return new SegmentedRecordLog(parts, tornBytes);
}

/** The segment that is being written: where it starts, and what of it is durable. */
type Tail = {
  readonly path: string;
  readonly first: number;
  readonly lines: number;
  readonly bytes: number;
};

type Parts = {
  readonly name: string;
  readonly directory: string;
  readonly segmentBytes: number;
  readonly reserve: DiskReserve;
  readonly unlock: () => void;
  readonly file: FileHandle;
  readonly tail: Tail;
};

class SegmentedRecordLog implements RecordLog {
  readonly name: string;
  readonly #parts: Parts;
  #file: FileHandle;
  #tail: Tail;
  #tornBytes: number;
  /** Size at the opening, whose unfinished tiles are dropped with the first checkpoint after it. */
  #openedAt: number | null;
  /** Whether bytes of a failed append may still be behind the durable ones. */
  #torn = false;
  #published: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: Parts, tornBytes: number) {
    this.name = parts.name;
    this.#parts = parts;
    this.#file = parts.file;
    this.#tail = parts.tail;
    this.#tornBytes = tornBytes;
    this.#openedAt = parts.tail.first + parts.tail.lines;
  }

  size(): number {
    return this.#tail.first + this.#tail.lines;
  }

  tornBytes(): number {
    return this.#tornBytes;
  }

  async append(lines: readonly string[], options: AppendOptions): Promise<void> {
    if (this.#closed) throw new RecorderError('RECORDER_CLOSED', 'The log is closed.');
    const bytes = encode(lines);
    try {
      if (this.#torn) await this.#cutTorn();
      if (!options.privileged) await this.#parts.reserve.fill();
      for (;;) {
        const failure = await this.#tryAppend(bytes, lines.length);
        if (failure === null) return;
        const mayRelease = options.privileged && isFull(failure);
        if (!mayRelease || !(await this.#parts.reserve.release(bytes.length))) throw failure;
      }
    } catch (cause) {
      throw asRecorderError(cause, 'The log could not be written.');
    }
  }

  read(from: number, to: number): AsyncIterable<Uint8Array> {
    return readFiles(this.#parts.directory, from, Math.min(to, this.size()));
  }

  async writeTiles(tiles: readonly Tile[]): Promise<void> {
    await writeTileFiles(this.#parts.directory, tiles).catch((cause: unknown) => {
      throw asRecorderError(cause, 'A tile could not be written.');
    });
  }

  async readTile(level: number, index: number, width: number): Promise<Uint8Array | null> {
    return readTileFile(this.#parts.directory, level, index, width).catch((cause: unknown) => {
      throw asRecorderError(cause, 'A tile could not be read.');
    });
  }

  async publish(checkpoint: string): Promise<void> {
    const write = () => this.#publish(checkpoint);
    this.#published = this.#published.then(write, write);
    await this.#published.catch((cause: unknown) => {
      throw asRecorderError(cause, 'The checkpoint could not be published.');
    });
  }

  async #publish(checkpoint: string): Promise<void> {
    const { directory } = this.#parts;
    await publishCheckpoint(directory, checkpoint);
    const openedAt = this.#openedAt;
    if (openedAt === null) return;
    await dropPartialTiles(directory, openedAt, Number(checkpoint.split('\n')[1]));
    this.#openedAt = null;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
    await this.#parts.reserve.close();
    this.#parts.unlock();
  }

  /** Null when the bytes are durable; otherwise why not, and then they are cut off if possible. */
  async #tryAppend(bytes: Uint8Array, lines: number): Promise<unknown> {
    try {
      if (this.#tail.bytes >= this.#parts.segmentBytes) await this.#startSegment();
      this.#checkUntouched();
      this.#torn = true;
      await writeAll(this.#file.fd, bytes);
      if (syncFlag === 0) await syncData(this.#file.fd);
      this.#torn = false;
      const { path, first } = this.#tail;
      const written = { lines: this.#tail.lines + lines, bytes: this.#tail.bytes + bytes.length };
      this.#tail = { path, first, ...written };
      return null;
    } catch (failure) {
      if (this.#torn) {
        await this.#cutTorn().catch(() => {
          // It stays marked as torn, and is cut off before anything else is written.
        });
      }
      return failure;
    }
  }

  /**
   * After a failed sync the system may have dropped the bytes and would call the next sync a
   * success, so nothing of a failed append is kept: it is cut off and written anew.
   */
  async #cutTorn(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size < this.#tail.bytes) throw touched();
    await this.#file.truncate(this.#tail.bytes);
    await this.#file.sync();
    this.#tornBytes += size - this.#tail.bytes;
    this.#torn = false;
  }

  /** The recorder is the only hand on the file: any other size than it left is somebody else's. */
  #checkUntouched(): void {
    const { size, nlink } = fstatSync(this.#file.fd);
    if (size !== this.#tail.bytes || nlink === 0) throw touched();
  }

  async #startSegment(): Promise<void> {
    const first = this.size();
    const file = await createSegment(this.#parts.directory, first);
    const before = this.#file;
    this.#file = file;
    this.#tail = { path: segmentPath(this.#parts.directory, first), first, lines: 0, bytes: 0 };
    await before.close();
  }
}

async function* readFiles(directory: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  yield* readSegments(await listSegments(directory), from, to);
}

async function createHeader(directory: string): Promise<string> {
  const path = join(directory, headerFile);
  // A crash between the header and the first segment leaves a name without entries: it is taken.
  if (await exists(path)) return readName(directory);
  const name = randomBytes(16).toString('base64url');
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(headerText(name));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncDirectory(directory);
  return name;
}

async function createSegment(directory: string, first: number): Promise<FileHandle> {
  const file = await open(segmentPath(directory, first), appendFlags, 0o600);
  try {
    await syncDirectory(directory);
    return file;
  } catch (failure) {
    await file.close();
    throw failure;
  }
}

/**
 * Keeps what is cut off in a file of its own: it may be evidence, if another hand and no crash made
 * it look incomplete. Only for a last line without its end is the copy not worth a failed start.
 */
async function keepTorn(directory: string, segment: Segment, end: SegmentEnd): Promise<void> {
  const position = String(segment.first + end.lines).padStart(16, '0');
  const target = join(directory, `torn-${position}.bin`);
  try {
    const bytes = createReadStream(segment.path, { start: end.wholeBytes });
    await pipeline(bytes, createWriteStream(target, { mode: 0o600, flush: true }));
  } catch (failure) {
    if (!end.partialLineOnly) throw failure;
  }
}

async function syncParents(path: string, top: string): Promise<void> {
  for (let directory = path; directory !== top && directory !== dirname(directory); ) {
    directory = dirname(directory);
    await syncDirectory(directory);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The system may write less than asked for; what it will not write ends in an error of its own. */
async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await writeAt(fd, bytes, offset, bytes.length - offset, null);
    if (bytesWritten === 0) {
      throw new RecorderError('RECORDER_NOT_DURABLE', 'A write wrote nothing.');
    }
    offset += bytesWritten;
  }
}

function encode(lines: readonly string[]): Uint8Array {
  for (const line of lines) {
    if (line === '' || line.includes('\n') || line.includes('\0')) {
      throw new RecorderError('RECORDER_ENTRY_INVALID', 'A line is empty or holds a control.');
    }
  }
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  if (bytes.length <= appendBytesMax) return bytes;
  throw new RecorderError('RECORDER_ENTRY_INVALID', 'An append is too large.');
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (failure) {
    if (errorCode(failure) === 'ENOENT') return false;
    throw failure;
  }
}

function touched(): RecorderError {
  return new RecorderError('RECORDER_LOG_BROKEN', 'Another hand changed the open log.');
}

function isFull(failure: unknown): boolean {
  const code = errorCode(failure);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function errorCode(failure: unknown): unknown {
  return failure instanceof Error && 'code' in failure ? failure.code : null;
}

function asRecorderError(cause: unknown, message: string): RecorderError {
  if (cause instanceof RecorderError) return cause;
  const code = isFull(cause) ? 'RECORDER_FULL' : 'RECORDER_NOT_DURABLE';
  return new RecorderError(code, message, { cause });
}
