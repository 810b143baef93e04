// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { RecorderError } from './entry.ts';
import type { EntryDraft, EntryReceipt } from './entry.ts';
import { entryLine } from './entry-line.ts';
import type { LogTip } from './entry-line.ts';
import { numberOf, NumbersLeftOut } from './entry-number.ts';
import { isEntryDraft } from './entry-shape.ts';
import type { RecentIds } from './recent-ids.ts';

/**
 * The lines of one group commit while they are put together. Nothing outside it changes until
 * `remember`, so a batch that did not become durable is simply dropped.
 */
export class Batch {
  readonly lines: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #leftOut: NumbersLeftOut[] = [];
  readonly #recent: RecentIds;
  readonly #nowMs: number;
  readonly #entryBytesMax: number;
  #tip: LogTip;
  #bytes = 0;

  constructor(tip: LogTip, recent: RecentIds, nowMs: number, entryBytesMax: number) {
    this.#tip = tip;
    this.#recent = recent;
    this.#nowMs = nowMs;
    this.#entryBytesMax = entryBytesMax;
  }

  get tip(): LogTip {
    return this.#tip;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds the entries of one call, all or none. One that was recorded before gets its old receipt.
   * Throws `RecorderError` with `RECORDER_ENTRY_INVALID`.
   */
  add(drafts: readonly EntryDraft[]): readonly EntryReceipt[] {
    const start = { lines: this.lines.length, tip: this.#tip, bytes: this.#bytes };
    const added: string[] = [];
    try {
      return drafts.map((draft) => ({ sequence: this.#addOne(draft, added) }));
    } catch (failure) {
      this.lines.length = start.lines;
      this.#tip = start.tip;
      this.#bytes = start.bytes;
      for (const id of added) this.#ids.delete(id);
      throw failure;
    }
  }

  /** Numbers of entries that were on record already. */
  get repeated(): readonly NumbersLeftOut[] {
    return this.#leftOut;
  }

  /** Called once the lines are durable. */
  remember(): void {
    for (const [id, sequence] of this.#ids) this.#recent.add(id, sequence);
  }

  #addOne(draft: EntryDraft, added: string[]): number {
    if (!isEntryDraft(draft)) throw invalid('An entry is not of the published shape.');
    const id = writerId(draft);
    const known = this.#recent.get(id) ?? this.#ids.get(id);
    if (known !== undefined) {
      this.#leaveOut(draft);
      return known;
    }
    const next = this.#line(draft);
    const bytes = Buffer.byteLength(next.line);
    if (bytes > this.#entryBytesMax) throw invalid('An entry is larger than allowed.');
    const sequence = this.#tip.size;
    this.lines.push(next.line);
    this.#tip = next.tip;
    this.#bytes += bytes + 1;
    this.#ids.set(id, sequence);
    added.push(id);
    return sequence;
  }

  #leaveOut(draft: EntryDraft): void {
    if (numberOf(draft) === null || this.#leftOut.at(-1)?.add(draft) === true) return;
    const next = new NumbersLeftOut();
    next.add(draft);
    this.#leftOut.push(next);
  }

  #line(draft: EntryDraft): { readonly line: string; readonly tip: LogTip } {
    try {
      return entryLine(draft, this.#tip, this.#nowMs);
    } catch (failure) {
      throw invalid('An entry has no canonical form.', failure);
    }
  }
}

/**
 * What makes a resent draft the same draft. The actor is part of it: a sidecar that guesses the id
 * of an entry of another writer must not be able to keep that entry out of the log.
 */
export function writerId(draft: EntryDraft): string {
  return `${draft.actor} ${draft.id}`;
}

function invalid(message: string, cause?: unknown): RecorderError {
  return new RecorderError('RECORDER_ENTRY_INVALID', message, { cause });
}
