// SPDX-License-Identifier: Apache-2.0
import { mintUlid } from '../message/identifiers.ts';
import { Batch } from './batch.ts';
import { blankEntry } from './blank-entry.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { RecorderError } from './entry.ts';
import type {
  EntryDraft,
  EntryReceipt,
  RecordedEntry,
  Recorder,
  RecorderErrorCode,
} from './entry.ts';
import { parseEntryLine } from './entry-line.ts';
import type { LogTip } from './entry-line.ts';
import type { NumbersLeftOut } from './entry-number.ts';
import { leafHash } from './merkle.ts';
import type { GrowingTree } from './merkle.ts';
import { prunedHash } from './pruned-line.ts';
import { readTail } from './open-tail.ts';
import type { LogTail } from './open-tail.ts';
import type { RecentIds } from './recent-ids.ts';
import { recorderLimits } from './recorder-options.ts';
import type { RecorderLimits, RecorderOptions, RecorderStatus } from './recorder-options.ts';
import { RefusalFolder } from './refusal-folder.ts';

/** The recorder of one node: the only writer of its log. */
export interface FlightRecorder extends Recorder {
  readonly logName: string;
  /** Durable entries. */
  size(): number;
  /** When the last entry was accepted, milliseconds since 1970; 0 before the first. */
  recordedAt(): number;
  status(): RecorderStatus;
  /** Hears of every change of status. Returns what ends that. */
  onState(listener: (status: RecorderStatus) => void): () => void;
  /** Entries durable at the call, from `from` up to, not including, `to`; pruned ones are left out. */
  read(from: number, to: number): AsyncIterable<RecordedEntry>;
  /** Whether it was told to close. */
  closed(): boolean;
  /** Records what waits, writes the last checkpoint, lets go of the log. Idempotent. */
  close(): Promise<void>;
}

type Call = {
  readonly drafts: readonly EntryDraft[];
  readonly privileged: boolean;
  readonly resolve: (receipts: readonly EntryReceipt[]) => void;
  readonly reject: (failure: RecorderError) => void;
};

/** Why and since when entries are refused, and how many were. */
type Outage = {
  readonly state: 'reserve' | 'unavailable';
  readonly code: RecorderErrorCode;
  readonly since: number;
  readonly rejected: number;
  readonly tornBytes: number;
};

/**
 * Opens the recorder on a log. Rejects with `RecorderError` when the end of the log is damaged
 * (`RECORDER_LOG_BROKEN`), or does not hold what the last checkpoint says (`RECORDER_TRUNCATED`,
 * `RECORDER_FORKED`, `RECORDER_CHECKPOINT_INVALID`, `RECORDER_CHECKPOINT_FOREIGN`): going on would
 * bury the evidence under a new checkpoint. Records `recorder.recovered` when an incomplete line was cut off.
 */
export async function openRecorder(options: RecorderOptions): Promise<FlightRecorder> {
  const limits = recorderLimits(options.limits);
  const recorder = new GroupCommitRecorder(options, limits, await readTail(options, limits));
  await recorder.begin();
  return recorder;
}

/**
 * Group commit: one batch is being made durable while the next one gathers. A batch reaches the log
 * in one append, and its callers hear of it only after that.
 */
class GroupCommitRecorder implements FlightRecorder {
  readonly #options: RecorderOptions;
  readonly #limits: RecorderLimits;
  readonly #recent: RecentIds;
  readonly #tree: GrowingTree;
  readonly #checkpoints: CheckpointWriter;
  readonly #folder: RefusalFolder;
  readonly #listeners = new Set<(status: RecorderStatus) => void>();
  #tip: LogTip;
  #queue: Call[] = [];
  #waitingEntries = 0;
  #pump: Promise<void> | null = null;
  #callOffWindow: (() => void) | null = null;
  #outage: Outage | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: RecorderOptions, limits: RecorderLimits, tail: LogTail) {
    this.#options = options;
    this.#limits = limits;
    this.#tip = tail.tip;
    this.#recent = tail.recent;
    this.#tree = tail.tree;
    const everyMs = limits.checkpointEveryMs;
    this.#checkpoints = new CheckpointWriter(options, everyMs, tail, () => this.#announce());
    this.#folder = new RefusalFolder(options, limits, (draft) => this.#writeDigest(draft));
  }

  get logName(): string {
    return this.#options.log.name;
  }

  size(): number {
    return this.#tip.size;
  }

  recordedAt(): number {
    return this.#tip.recordedAt;
  }

  status(): RecorderStatus {
    const { state = 'available', code = null } = this.#outage ?? {};
    return { state, code, ...this.#checkpoints.status };
  }

  onState(listener: (status: RecorderStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** First things after opening: what was cut off is said, a checkpoint covers what is there. */
  async begin(): Promise<void> {
    const tornBytes = this.#options.log.tornBytes();
    if (tornBytes > 0) {
      try {
        await this.#enqueue([this.#recovered(null, tornBytes)], true);
      } catch {
        // The status says that nothing can be recorded; what was cut off is said on recovery.
        if (this.#outage !== null) this.#outage = { ...this.#outage, tornBytes: 0 };
      }
    }
    await this.#checkpoints.write();
  }

  async record(
    entries: readonly EntryDraft[],
    options: { readonly privileged?: boolean } = {},
  ): Promise<readonly EntryReceipt[]> {
    if (this.#closing !== null) {
      throw new RecorderError('RECORDER_CLOSED', 'The recorder is closed.');
    }
    const privileged = options.privileged === true;
    if (entries.length > this.#limits.batchEntriesMax) {
      throw new RecorderError('RECORDER_ENTRY_INVALID', 'One call holds too many entries.');
    }
    if (privileged) return this.#enqueue(entries, true);
    this.#checkRoom(entries.length, false);
    const folded = entries.map((draft) => this.#folder.fold(draft));
    if (folded.every((digest) => digest === null)) return this.#enqueue(entries, false);
    const written = entries.filter((_, index) => folded[index] === null);
    const [receipts, digests] = await Promise.all([
      written.length === 0 ? [] : this.#enqueue(written, false),
      Promise.all(folded.filter((digest) => digest !== null)),
    ]);
    return inOrder(folded, receipts, digests);
  }

  async *read(from: number, to: number): AsyncIterable<RecordedEntry> {
    for await (const line of this.#options.log.read(from, Math.min(to, this.#tip.size))) {
      if (prunedHash(line) !== null) continue;
      const entry = parseEntryLine(line);
      if (entry === null) {
        throw new RecorderError('RECORDER_LOG_BROKEN', 'A line of the log is not an entry.');
      }
      yield entry;
    }
  }

  closed(): boolean {
    return this.#closing !== null;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#folder.flush();
    this.#folder.close();
    this.#startPump();
    await this.#pump;
    await this.#checkpoints.close();
    await this.#options.log.close();
  }

  #checkRoom(entries: number, privileged: boolean): void {
    const { waitingEntriesMax } = this.#limits;
    const room = privileged ? waitingEntriesMax : waitingEntriesMax * 0.75;
    if (this.#waitingEntries + entries <= room) return;
    throw new RecorderError('RECORDER_OVERLOADED', 'Too many entries wait for the disk.');
  }

  #enqueue(drafts: readonly EntryDraft[], privileged: boolean): Promise<readonly EntryReceipt[]> {
    return new Promise((resolve, reject) => {
      this.#checkRoom(drafts.length, privileged);
      this.#queue.push({ drafts, privileged, resolve, reject });
      this.#waitingEntries += drafts.length;
      if (this.#pump === null) this.#openWindow();
    });
  }

  async #writeDigest(draft: EntryDraft): Promise<EntryReceipt> {
    const [receipt] = await this.#enqueue([draft], false);
    if (receipt === undefined) {
      throw new RecorderError('RECORDER_NOT_DURABLE', 'The digest has no receipt.');
    }
    return receipt;
  }

  #openWindow(): void {
    const { windowMs, batchEntriesMax } = this.#limits;
    if (windowMs === 0 || this.#waitingEntries >= batchEntriesMax) return this.#startPump();
    this.#callOffWindow ??= this.#options.timer(windowMs, () => this.#startPump());
  }

  #startPump(): void {
    this.#callOffWindow?.();
    this.#callOffWindow = null;
    this.#pump ??= this.#commitAll().finally(() => {
      this.#pump = null;
      if (this.#queue.length > 0) this.#openWindow();
    });
  }

  async #commitAll(): Promise<void> {
    // What is recorded in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const calls = this.#queue;
      this.#queue = [];
      await this.#commit(calls);
    }
  }

  /** Makes the calls durable, in one or more batches, or rejects them. Never throws. */
  async #commit(calls: readonly Call[]): Promise<void> {
    let rest = calls;
    while (rest.length > 0) {
      const attempt = await this.#attempt(rest, false);
      if (attempt.failure === null) {
        rest = rest.slice(attempt.taken);
        continue;
      }
      const { failure } = attempt;
      const privileged = rest.filter((call) => call.privileged);
      const full = failure.code === 'RECORDER_FULL';
      const others = rest.filter((call) => !call.privileged);
      this.#reject(others, failure, full ? 'reserve' : 'unavailable');
      rest = full ? await this.#useReserve(privileged) : privileged;
      this.#reject(rest, failure, 'unavailable');
      return;
    }
  }

  /** Records privileged calls in the reserved space. Returns those for which there was none. */
  async #useReserve(calls: readonly Call[]): Promise<readonly Call[]> {
    let rest = calls;
    while (rest.length > 0) {
      const attempt = await this.#attempt(rest, true);
      if (attempt.failure !== null) return rest;
      rest = rest.slice(attempt.taken);
      this.#suspend('RECORDER_FULL', 'reserve', 0);
    }
    return rest;
  }

  /** One append of as many of the calls as fit into a batch. */
  async #attempt(
    calls: readonly Call[],
    reserve: boolean,
  ): Promise<{ readonly taken: number; readonly failure: RecorderError | null }> {
    const { log, clock } = this.#options;
    const { batchEntriesMax, batchBytesMax, entryBytesMax } = this.#limits;
    const batch = new Batch(this.#tip, this.#recent, clock.nowMs(), entryBytesMax);
    const outage = reserve ? null : this.#outage;
    if (outage !== null) batch.add([this.#recovered(outage, log.tornBytes() - outage.tornBytes)]);
    const settled: { call: Call; receipts: readonly EntryReceipt[] | RecorderError }[] = [];
    for (const call of calls) {
      const full = batch.lines.length + call.drafts.length > batchEntriesMax;
      if (settled.length > 0 && (full || batch.bytes >= batchBytesMax)) break;
      settled.push({ call, receipts: addCall(batch, call) });
    }
    for (const leftOut of batch.repeated) batch.add([this.#repeated(leftOut)]);
    if (batch.lines.length > 0) {
      try {
        await log.append(batch.lines, { privileged: reserve });
      } catch (failure) {
        return { taken: 0, failure: asRecorderError(failure) };
      }
    }
    for (const line of batch.lines) this.#tree.append(leafHash(line));
    this.#tip = batch.tip;
    batch.remember();
    if (outage !== null) this.#resume();
    for (const { call, receipts } of settled) {
      this.#waitingEntries -= call.drafts.length;
      if (receipts instanceof RecorderError) call.reject(receipts);
      else call.resolve(receipts);
    }
    if (batch.lines.length > 0) this.#checkpoints.advance();
    return { taken: settled.length, failure: null };
  }

  #reject(calls: readonly Call[], failure: RecorderError, state: Outage['state']): void {
    let rejected = 0;
    for (const call of calls) rejected += call.drafts.length;
    this.#waitingEntries -= rejected;
    if (calls.length > 0) this.#suspend(failure.code, state, rejected);
    for (const call of calls) call.reject(failure);
  }

  #suspend(code: RecorderErrorCode, state: Outage['state'], rejected: number): void {
    const before = this.#outage;
    this.#outage = {
      state,
      code,
      since: before?.since ?? this.#options.clock.nowMs(),
      rejected: (before?.rejected ?? 0) + rejected,
      tornBytes: before?.tornBytes ?? this.#options.log.tornBytes(),
    };
    if (before?.state !== state || before.code !== code) this.#announce();
  }

  #resume(): void {
    this.#outage = null;
    this.#announce();
  }

  #announce(): void {
    const status = this.status();
    for (const listener of this.#listeners) {
      try {
        listener(status);
      } catch {
        // A listener's fault is its own; the others are told and recording goes on.
        continue;
      }
    }
  }

  #recovered(outage: Outage | null, tornBytes: number): EntryDraft {
    const { code = null, rejected = 0, since = null } = outage ?? {};
    return { ...this.#own('recorder.recovered'), code, detail: { rejected, since, tornBytes } };
  }

  /** In the same batch, so that it is on record before its writer hears of its entries. */
  #repeated(leftOut: NumbersLeftOut): EntryDraft {
    return { ...this.#own('record.repeated'), detail: { writers: leftOut.toJson() } };
  }

  #own(kind: 'recorder.recovered' | 'record.repeated'): EntryDraft {
    const { clock, random } = this.#options;
    return blankEntry({ kind, id: mintUlid(clock, random), at: clock.nowMs(), actor: 'node' });
  }
}

function addCall(batch: Batch, call: Call): readonly EntryReceipt[] | RecorderError {
  try {
    return batch.add(call.drafts);
  } catch (failure) {
    return asRecorderError(failure);
  }
}

function asRecorderError(failure: unknown): RecorderError {
  if (failure instanceof RecorderError) return failure;
  return new RecorderError('RECORDER_NOT_DURABLE', 'The log failed.', { cause: failure });
}

/** Receipts in the order of the call: those of written entries and those of digests interleaved. */
function inOrder(
  folded: readonly (Promise<EntryReceipt> | null)[],
  receipts: readonly EntryReceipt[],
  digests: readonly EntryReceipt[],
): readonly EntryReceipt[] {
  const written = receipts.values();
  const counted = digests.values();
  const ordered: EntryReceipt[] = [];
  for (const digest of folded) {
    const { value } = (digest === null ? written : counted).next();
    if (value !== undefined) ordered.push(value);
  }
  return ordered;
}
