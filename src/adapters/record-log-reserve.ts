// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const reserveFile = 'reserve';
const chunkBytes = 256 * 1024;

/**
 * Disk space held by a file of random bytes, which no file system stores as a hole or compresses.
 * It is given up in slices, each just before a privileged append needs it, so that another writer
 * on the disk can snatch little of it.
 */
export class DiskReserve {
  readonly #directory: string;
  readonly #bytes: number;
  #file: FileHandle | null = null;
  #held = 0;

  constructor(directory: string, bytes: number) {
    this.#directory = directory;
    this.#bytes = bytes;
  }

  /** Whether all of it is in place: only then may entries that are not privileged use the disk. */
  get whole(): boolean {
    return this.#held >= this.#bytes;
  }

  /** Fills it up again. Rejects with the error of the file system, ENOSPC above all. */
  async fill(): Promise<void> {
    if (this.whole) return;
    const file = await this.#open();
    this.#held = Math.min((await file.stat()).size, this.#bytes);
    await this.#checkFree(this.#bytes - this.#held);
    try {
      while (this.#held < this.#bytes) {
        const bytes = randomBytes(Math.min(chunkBytes, this.#bytes - this.#held));
        const { bytesWritten } = await file.write(bytes, 0, bytes.length, this.#held);
        this.#held += bytesWritten;
      }
      await file.sync();
    } catch (failure) {
      // Not whole: whatever part stands goes on being held.
      this.#held = Math.min(this.#held, this.#bytes - 1);
      throw failure;
    }
  }

  /** Gives up at least so many bytes, if there are any left. Returns whether it gave up some. */
  async release(bytes: number): Promise<boolean> {
    if (this.#held === 0) return false;
    const file = await this.#open();
    const kept = Math.max(0, this.#held - Math.ceil(bytes / chunkBytes + 1) * chunkBytes);
    await file.truncate(kept);
    await file.sync();
    this.#held = kept;
    return true;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #open(): Promise<FileHandle> {
    const flags = constants.O_RDWR | constants.O_CREAT;
    this.#file ??= await open(join(this.#directory, reserveFile), flags, 0o600);
    return this.#file;
  }

  /** A cheap look before megabytes are written in vain on every attempt while the disk is full. */
  async #checkFree(bytes: number): Promise<void> {
    const { bsize, bfree, bavail } = await statfs(this.#directory);
    const blocks = process.getuid?.() === 0 ? bfree : bavail;
    if (bsize * blocks >= bytes) return;
    throw Object.assign(new Error('No space for the reserve of the log.'), { code: 'ENOSPC' });
  }
}
