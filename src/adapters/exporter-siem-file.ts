// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { ExporterCode } from '../exporter/codes.ts';
import { ocsfEvent } from '../exporter/ocsf.ts';
import type { Delivery, ExportedEntry, Exporter } from '../recorder/exporter.ts';

const flags =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW |
  constants.O_NONBLOCK;
const lineFeed = 10;

/**
 * OCSF events as JSON lines, durable before they count as delivered. Whoever rotates may move the
 * file away at any time: before each batch it is looked up by name, and opened anew when it is
 * another one. A line that a crash left incomplete is closed first; its event comes again, whole.
 */
export class SiemFileExporter implements Exporter {
  readonly batchEntriesMax = 1000;
  readonly #path: string;
  #file: FileHandle | null = null;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  async deliver(entries: readonly ExportedEntry[], signal: AbortSignal): Promise<Delivery> {
    if (this.#closed || signal.aborted) return failed('EXPORT_CLOSED');
    const lines = entries.map((entry) => `${JSON.stringify(ocsfEvent(entry))}\n`).join('');
    try {
      const file = await this.#current();
      await file.appendFile(lines);
      await file.datasync();
      return { ok: true, rejected: 0 };
    } catch {
      // How much of it reached the file is not known: the next attempt starts on a line of its own.
      await this.#drop();
      return failed('EXPORT_FILE_UNWRITABLE');
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  async #current(): Promise<FileHandle> {
    if (this.#file !== null && (await this.#isCurrent(this.#file))) return this.#file;
    return this.#reopen();
  }

  async #isCurrent(file: FileHandle): Promise<boolean> {
    const [held, named] = await Promise.all([
      file.stat(),
      stat(this.#path).catch(() => null),
    ]);
    return named !== null && named.ino === held.ino && named.dev === held.dev;
  }

  async #reopen(): Promise<FileHandle> {
    await this.#drop();
    const file = await open(this.#path, flags, 0o600);
    this.#file = file;
    const status = await file.stat();
    if (!status.isFile()) throw new Error('The exporter\'s file is no plain file.');
    if (status.size > 0) {
      const last = Buffer.alloc(1);
      await file.read(last, 0, 1, status.size - 1);
      if (last[0] !== lineFeed) await file.appendFile('\n');
    }
    return file;
  }

  async #drop(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
  }
}

function failed(code: ExporterCode): Delivery {
  return { ok: false, code, retryAfterMs: null };
}
