// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync, type StatementSync } from 'node:sqlite';

const lazyMs = 20;

/**
 * Pages of the write-ahead log from which it is copied into the file, which holds up the process: 4 MiB
 * for some 3 ms. With 32 MiB it was 20 to 50 ms every few seconds in each process, and the slowest
 * hundredth of all hops waited for it (`npm run bench:hop`).
 */
const copiedFromPages = 1000;
/** A commit that finds so many copies them itself, before it is answered. */
const copiedAtLatestPages = 4000;
/** Asking how long the log is takes a tenth of a commit; so many of a few pages each do not make it long. */
const commitsPerLook = 32;
/** What was committed is answered first. */
const copyDelayMs = 2;
/** From here on a checkpoint of mode NOOP tells how long the log is; an older one takes it for PASSIVE. */
const tellsLength = /^(?:3\.(?:5[1-9]|[6-9][0-9])|[4-9])\./;

/** When a group is committed. The event loop's own, unless a simulation stands in for it. */
export type BatchSchedule = {
  /** Within the same turn, after all that asks for writes now. */
  readonly soon: (flush: () => void) => void;
  /** Gives what calls it off. */
  readonly later: (flush: () => void, delayMs: number) => () => void;
};

const eventLoop: BatchSchedule = {
  soon: (flush) => void setImmediate(flush),
  later: (flush, delayMs) => {
    const timer = setTimeout(flush, delayMs);
    return () => clearTimeout(timer);
  },
};

type Work = { readonly run: () => unknown; readonly settle: (failure: unknown, value: unknown) => void };

/**
 * A SQLite file whose writes are grouped: everything asked for within one turn of the event loop
 * shares one transaction and one flush to disk. WAL with `synchronous=FULL`: a write that resolved
 * survives `kill -9` and power loss.
 */
export class BatchedDatabase {
  readonly database: DatabaseSync;
  #waiting: Work[] = [];
  #scheduled = false;
  readonly #schedule: BatchSchedule;
  readonly #begin: StatementSync;
  readonly #commitAll: StatementSync;
  readonly #logLength: StatementSync | null;
  #callOffLazy: (() => void) | null = null;
  #callOffCopy: (() => void) | null = null;
  /** Commits since somebody looked how long the log is. */
  #unlooked = 0;
  #closed = false;

  /** Over a file, or over a database that is open already: what a crash left of it. */
  constructor(at: string | DatabaseSync, schedule = eventLoop) {
    this.database = typeof at === 'string' ? new DatabaseSync(at) : at;
    this.#schedule = schedule;
    const copiesLater = tellsLength.test(process.versions.sqlite ?? '');
    const pages = copiesLater ? copiedAtLatestPages : copiedFromPages;
    this.database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;' +
        `PRAGMA wal_autocheckpoint = ${pages};`,
    );
    this.#begin = this.database.prepare('BEGIN IMMEDIATE');
    this.#commitAll = this.database.prepare('COMMIT');
    this.#logLength = copiesLater ? this.database.prepare('PRAGMA wal_checkpoint(NOOP)') : null;
  }

  /**
   * Runs `work` in the next transaction; resolves with its value when that transaction is durable.
   * A work that throws is rolled back alone and rejects; the others of its group still commit.
   */
  write<Value>(work: () => Value): Promise<Value> {
    const written = this.#enqueue(work);
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#schedule.soon(() => this.flush());
    }
    return written;
  }

  /**
   * Like `write`, for what nobody waits on: it goes with the next transaction, and makes one of its
   * own only after 20 ms.
   */
  writeSoon<Value>(work: () => Value): Promise<Value> {
    const written = this.#enqueue(work);
    if (!this.#scheduled) this.#callOffLazy ??= this.#schedule.later(() => this.flush(), lazyMs);
    return written;
  }

  /** Commits what waits, now. */
  flush(): void {
    this.#scheduled = false;
    this.#callOffLazy?.();
    this.#callOffLazy = null;
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    const values = this.#commit(group);
    if (values === null) this.#commitEach(group);
    else group.forEach((work, index) => work.settle(null, values[index]));
    this.#copyLater();
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#callOffCopy?.();
    this.database.close();
  }

  /**
   * Copies a log that has become long into the file once the group that made it so is answered. What
   * is in the log is durable without that; only its length depends on it.
   */
  #copyLater(): void {
    if (this.#logLength === null || this.#callOffCopy !== null) return;
    this.#unlooked += 1;
    if (this.#unlooked < commitsPerLook) return;
    this.#unlooked = 0;
    if (!(this.#pagesToCopy(this.#logLength) >= copiedFromPages)) return;
    this.#callOffCopy = this.#schedule.later(() => this.#copy(), copyDelayMs);
  }

  #pagesToCopy(logLength: StatementSync): number {
    try {
      const { log, checkpointed } = logLength.get() ?? {};
      return Number(log) - Number(checkpointed);
    } catch {
      // Nobody knows how long the log is: nothing is copied this time, and the next commit looks again.
      return 0;
    }
  }

  #copy(): void {
    this.#callOffCopy = null;
    try {
      this.database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // The disk is full or fails: the log holds everything and grows on, and each commit tries anew.
    }
  }

  #enqueue<Value>(work: () => Value): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#closed) {
        reject(new Error('the database is closed'));
        return;
      }
      this.#waiting.push({
        run: work,
        settle: (failure, value) => {
          if (failure === null) resolve(value as Value);
          else reject(failure instanceof Error ? failure : new Error(String(failure)));
        },
      });
    });
  }

  /** Null when any work of the group failed; then nothing of the group was committed. */
  #commit(group: readonly Work[]): readonly unknown[] | null {
    try {
      return this.#transaction(group);
    } catch {
      // The caller runs each work alone, and the one that fails there rejects with its own error.
      return null;
    }
  }

  #commitEach(group: readonly Work[]): void {
    for (const work of group) {
      try {
        const [value] = this.#transaction([work]);
        work.settle(null, value);
      } catch (failure) {
        work.settle(failure, undefined);
      }
    }
  }

  #transaction(group: readonly Work[]): readonly unknown[] {
    this.#begin.run();
    try {
      const values = group.map((work) => work.run());
      this.#commitAll.run();
      return values;
    } catch (failure) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw failure;
    }
  }
}
