// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { RecorderError } from './entry.ts';
import type { AppendOptions, RecordLog } from './record-log.ts';

/**
 * A log in memory, for tests and trials. It survives nothing, so nothing that rests on durability
 * may be claimed with it.
 */
export class MemoryRecordLog implements RecordLog {
  readonly name: string;
  readonly lines: Uint8Array[] = [];
  #closed = false;

  constructor(name: string) {
    this.name = name;
  }

  size(): number {
    return this.lines.length;
  }

  tornBytes(): number {
    return 0;
  }

  async append(lines: readonly string[], _options: AppendOptions): Promise<void> {
    if (this.#closed) throw new RecorderError('RECORDER_CLOSED', 'The log is closed.');
    if (lines.some((line) => line === '' || line.includes('\n'))) {
      throw new RecorderError('RECORDER_ENTRY_INVALID', 'A line is empty or holds a line feed.');
    }
    for (const line of lines) this.lines.push(Buffer.from(line));
  }

  read(from: number, to: number): AsyncIterable<Uint8Array> {
    return Readable.from(this.lines.slice(from, to));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
