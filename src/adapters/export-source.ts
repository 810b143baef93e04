// SPDX-License-Identifier: Apache-2.0
import type { EntryView } from '../exporter/entry-view.ts';
import { ExporterError } from '../exporter/exporter-error.ts';
import type { EntrySource, PrunedEntry, SourcedEntry } from '../exporter/pump.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { prunedHash } from '../recorder/pruned-line.ts';
import type { RecordLogReader } from './record-log-segments.ts';

/** Entries kept for the other exporters, which read the same end of the log a moment later. */
const recentMax = 1024;
/** Entries before the first one asked for that tell which task is in which domain. */
const warmUpMax = 20_000;

/** The log as all exporters of this process read it: each line is parsed and viewed once. */
export class ExportLogSource implements EntrySource {
  readonly #reader: RecordLogReader;
  readonly #view: EntryView;
  readonly #durable: () => number | null;
  #recent: SourcedEntry[] = [];
  #recentFrom = 0;
  /** The view has seen every entry from its first one up to here. */
  #seenTo: number | null = null;

  constructor(reader: RecordLogReader, view: EntryView, durable: () => number | null) {
    this.#reader = reader;
    this.#view = view;
    this.#durable = durable;
  }

  get log(): string {
    return this.#reader.name;
  }

  durable(): number | null {
    return this.#durable();
  }

  async *read(from: number, to: number): AsyncGenerator<SourcedEntry | PrunedEntry> {
    await this.#warmUp(from);
    let next = from;
    while (next < to) {
      const known = this.#recent[next - this.#recentFrom];
      if (next < this.#recentFrom || known === undefined) break;
      yield known;
      next += 1;
    }
    if (next >= to) return;
    for await (const line of this.#reader.read(next, to)) {
      const sourced = this.#sourced(line, next);
      if (!('pruned' in sourced)) this.#remember(sourced);
      yield sourced;
      next += 1;
    }
  }

  /** Shows the view what came before, as far as it matters and was not seen yet. */
  async #warmUp(from: number): Promise<void> {
    const start = Math.max(this.#seenTo ?? 0, from - warmUpMax, 0);
    if (this.#seenTo !== null && from <= this.#seenTo) return;
    let position = start;
    for await (const line of this.#reader.read(start, from)) this.#sourced(line, position++);
    this.#seenTo = Math.max(this.#seenTo ?? 0, from);
  }

  #sourced(line: Uint8Array, position: number): SourcedEntry | PrunedEntry {
    if (prunedHash(line) !== null) {
      if (this.#seenTo === position) this.#seenTo += 1;
      return { pruned: position };
    }
    const entry = parseEntryLine(line);
    if (entry === null) {
      throw new ExporterError('EXPORT_LOG_BROKEN', 'The log holds a line that is no entry.');
    }
    const sourced = { exported: this.#view.export(entry), recordedAtMs: entry.recordedAt };
    if (this.#seenTo === entry.sequence) this.#seenTo += 1;
    return sourced;
  }

  #remember(sourced: SourcedEntry): void {
    const { sequence } = sourced.exported;
    if (sequence < this.#recentFrom + this.#recent.length && sequence >= this.#recentFrom) return;
    if (sequence !== this.#recentFrom + this.#recent.length) {
      // Somebody who is far behind reads old entries: the others' window is worth more.
      if (sequence < this.#recentFrom) return;
      this.#recent = [];
      this.#recentFrom = sequence;
    }
    this.#recent.push(sourced);
    if (this.#recent.length < recentMax * 2) return;
    this.#recent = this.#recent.slice(-recentMax);
    this.#recentFrom = sequence + 1 - recentMax;
  }
}
