// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { RecorderError } from './entry.ts';
import { hashBytes, tileWidth } from './merkle.ts';
import type { Tile } from './merkle.ts';
import type { AppendOptions, RecordLog } from './record-log.ts';

/**
 * A log in memory, for tests and trials. It survives nothing, so nothing that rests on durability
 * may be claimed with it.
 */
export class MemoryRecordLog implements RecordLog {
  readonly name: string;
  readonly lines: Uint8Array[] = [];
  readonly tiles = new Map<string, Uint8Array>();
  checkpoint: string | null = null;
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

  async writeTiles(tiles: readonly Tile[]): Promise<void> {
    for (const { level, index, width, bytes } of tiles) {
      if (width === tileWidth) {
        for (let w = 1; w < width; w += 1) this.tiles.delete(`${level}/${index}/${w}`);
      }
      this.tiles.set(`${level}/${index}/${width}`, bytes);
    }
  }

  async readTile(level: number, index: number, width: number): Promise<Uint8Array | null> {
    const place = `${level}/${index}`;
    const tile = this.tiles.get(`${place}/${tileWidth}`) ?? this.tiles.get(`${place}/${width}`);
    return tile?.subarray(0, width * hashBytes) ?? null;
  }

  async publish(checkpoint: string): Promise<void> {
    this.checkpoint = checkpoint;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
