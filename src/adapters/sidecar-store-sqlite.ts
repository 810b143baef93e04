// SPDX-License-Identifier: Apache-2.0
import type { AllotmentReport } from '../bounds/ask.ts';
import type { AgentContext } from '../label/context.ts';
import type { IndexedValue } from '../label/value-index.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { RecorderError } from '../recorder/entry.ts';
import type {
  GivenMandate,
  HeldMandate,
  Incarnation,
  InboxMessage,
  InboxState,
  Reply,
  SidecarStore,
} from '../sidecar/ports.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

/**
 * What a message says is written once; how far it has come changes several times, and lies in rows so
 * small that those of many messages share one page of the log that is flushed.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS incarnation (
    slot INTEGER PRIMARY KEY CHECK (slot = 1), value TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS context (incarnation TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS indexed_value (
    position INTEGER PRIMARY KEY, incarnation TEXT NOT NULL, value TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS held_mandate (
    incarnation TEXT NOT NULL, task TEXT NOT NULL, principal TEXT NOT NULL,
    own INTEGER NOT NULL, chain TEXT NOT NULL, UNIQUE (incarnation, task, principal, chain)
  );
  CREATE TABLE IF NOT EXISTS given_mandate (
    task TEXT NOT NULL, delegate TEXT NOT NULL, chain TEXT NOT NULL, at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS given_mandate_task ON given_mandate (task);
  CREATE TABLE IF NOT EXISTS inbox_message (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, message TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS inbox_step (
    position INTEGER PRIMARY KEY, state TEXT NOT NULL, at INTEGER NOT NULL, incarnation TEXT, reply TEXT
  );
  CREATE TABLE IF NOT EXISTS spool (position INTEGER PRIMARY KEY, entry TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS allotment_report (
    position INTEGER PRIMARY KEY AUTOINCREMENT, report TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS refusal (
    task TEXT PRIMARY KEY, count INTEGER NOT NULL, at INTEGER NOT NULL
  );
`;

const ofMessage = 'position = (SELECT position FROM inbox_message WHERE id = ?)';
const isOver = "at < ? AND state IN ('done', 'refused')";

/** Entries that may wait for the node; beyond it, work that has to be recorded is refused. */
const spoolEntriesMax = 100_000;

/** Rows of values with a source; a value may stand in several, and the index holds 4,096. */
const storedValuesMax = 32_768;

/** Chains kept for one process; of a long-lived one the oldest tasks are forgotten first. */
const heldMandatesMax = 8_192;
/** An operator's mandate can last a week. */
const givenKeptMs = 8 * 24 * 3_600_000;

type InboxRow = {
  readonly state: InboxState;
  readonly message: string;
  readonly incarnation: string | null;
  readonly reply: string | null;
};

/** The durable state of one sidecar in one SQLite file; see the port for the contract. */
export class SqliteSidecarStore implements SidecarStore {
  readonly #db: BatchedDatabase;
  readonly #statements: ReturnType<typeof prepare>;
  /** Messages on their way to the disk. */
  readonly #receiving = new Map<
    string,
    { readonly message: InboxMessage; readonly durable: Promise<void> }
  >();
  /** Changes on their way to the disk that a read must not miss. */
  #finishing = 0;
  #incarnation: Incarnation | null;
  #inboxPosition: number;
  #spoolPosition: number;
  #spoolCount: number;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#statements = prepare(db);
    const stored = this.#statements.readIncarnation.get()?.['value'];
    this.#incarnation = typeof stored === 'string' ? (JSON.parse(stored) as Incarnation) : null;
    this.#inboxPosition = count(db, 'SELECT coalesce(max(position), 0) AS n FROM inbox_message');
    this.#spoolPosition = count(db, 'SELECT coalesce(max(position), 0) AS n FROM spool');
    this.#spoolCount = count(db, 'SELECT count(*) AS n FROM spool');
  }

  incarnation(): Incarnation | null {
    return this.#incarnation;
  }

  async saveIncarnation(incarnation: Incarnation): Promise<void> {
    this.#incarnation = incarnation;
    await this.#db.write(() => this.#statements.saveIncarnation.run(JSON.stringify(incarnation)));
  }

  context(incarnation: string): AgentContext | null {
    const stored = this.#statements.readContext.get(incarnation)?.['value'];
    return typeof stored === 'string' ? (JSON.parse(stored) as AgentContext) : null;
  }

  values(incarnation: string): readonly IndexedValue[] {
    const rows = this.#statements.readValues.all(incarnation);
    return rows.map((row) => JSON.parse(String(row['value'])) as IndexedValue);
  }

  mandates(incarnation: string): readonly HeldMandate[] {
    return this.#statements.readHeld.all(incarnation).map((row) => ({
      task: String(row['task']),
      principal: String(row['principal']),
      isOwn: row['own'] === 1,
      chain: String(row['chain']),
    }));
  }

  givenMandates(task: string): readonly GivenMandate[] {
    return this.#statements.readGiven.all(task).map((row) => ({
      task,
      delegate: String(row['delegate']),
      chain: String(row['chain']),
    }));
  }

  async giveMandate({ task, delegate, chain }: GivenMandate, nowMs: number): Promise<void> {
    await this.#db.write(() => this.#statements.give.run(task, delegate, chain, nowMs));
  }

  async absorb(change: Parameters<SidecarStore['absorb']>[0]): Promise<void> {
    await this.#writeWith(change.entries, () => {
      const { saveContext, addValue, addHeld, handOver, finish } = this.#statements;
      saveContext.run(change.incarnation, JSON.stringify(change.context));
      for (const value of change.values) addValue.run(change.incarnation, JSON.stringify(value));
      for (const { task, principal, isOwn, chain } of change.mandates) {
        addHeld.run(change.incarnation, task, principal, isOwn ? 1 : 0, chain);
      }
      for (const id of change.handed) handOver.run(change.incarnation, id);
      for (const id of change.done) finish.run(change.incarnation, id);
    });
  }

  async finish(incarnation: string, done: readonly string[]): Promise<void> {
    this.#finishing += 1;
    try {
      await this.#db.writeSoon(() => {
        for (const id of done) this.#statements.finish.run(incarnation, id);
      });
    } finally {
      this.#finishing -= 1;
    }
  }

  receive(message: InboxMessage): { readonly isNew: boolean; readonly durable: Promise<void> } {
    const { body, entries } = message;
    const pending = this.#receiving.get(body.id);
    if (pending !== undefined) return { isNew: false, durable: pending.durable };
    if (this.#statements.isKnown.get(body.id) !== undefined) {
      return { isNew: false, durable: Promise.resolve() };
    }
    const position = ++this.#inboxPosition;
    const text = JSON.stringify({ body, entries });
    const durable = this.#db
      .writeSoon(() => {
        this.#statements.receive.run(position, body.id, text);
        this.#statements.begin.run(position, message.state, body.issuedAt);
      })
      .then(
        () => void this.#receiving.delete(body.id),
        (failure: unknown) => {
          this.#receiving.delete(body.id);
          throw failure;
        },
      );
    this.#receiving.set(body.id, { message, durable });
    return { isNew: true, durable };
  }

  message(id: string): InboxMessage | null {
    const receiving = this.#receiving.get(id);
    if (receiving !== undefined) return receiving.message;
    this.#flushFinished();
    const row = this.#statements.readMessage.get(id);
    return row === undefined ? null : inboxMessage(row as unknown as InboxRow);
  }

  messages(state: InboxState, limit: number): readonly InboxMessage[] {
    this.#flushFinished();
    const rows = this.#statements.listMessages.all(state, limit);
    return rows.map((row) => inboxMessage(row as unknown as InboxRow));
  }

  async setState(id: string, state: InboxState): Promise<void> {
    await this.#db.write(() => this.#statements.setState.run(state, id));
  }

  async saveReply(id: string, reply: Reply): Promise<void> {
    await this.#db.write(() => this.#statements.saveReply.run(JSON.stringify(reply), id));
  }

  spool(entries: readonly EntryDraft[]): Promise<void> {
    return this.#writeWith(entries, () => undefined);
  }

  spooled(limit: number): readonly { readonly position: number; readonly entry: EntryDraft }[] {
    return this.#statements.readSpool.all(limit).map((row) => ({
      position: Number(row['position']),
      entry: JSON.parse(String(row['entry'])) as EntryDraft,
    }));
  }

  async unspool(positions: readonly number[]): Promise<void> {
    await this.#db.write(() => {
      for (const position of positions) this.#statements.unspool.run(position);
    });
    this.#spoolCount -= positions.length;
  }

  async queueReport(report: AllotmentReport): Promise<void> {
    await this.#db.write(() => this.#statements.queueReport.run(JSON.stringify(report)));
  }

  reports(limit: number): readonly { readonly position: number; readonly report: AllotmentReport }[] {
    return this.#statements.readReports.all(limit).map((row) => ({
      position: Number(row['position']),
      report: JSON.parse(String(row['report'])) as AllotmentReport,
    }));
  }

  async dropReports(positions: readonly number[]): Promise<void> {
    await this.#db.write(() => {
      for (const position of positions) this.#statements.dropReport.run(position);
    });
  }

  async countRefusal(task: string, nowMs: number): Promise<void> {
    await this.#db.write(() => this.#statements.countRefusal.run(task, nowMs));
  }

  refusals(task: string): number {
    return Number(this.#statements.readRefusals.get(task)?.['count'] ?? 0);
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#db.write(() => {
      this.#statements.pruneMessages.run(beforeMs);
      this.#statements.pruneSteps.run(beforeMs);
      this.#statements.pruneRefusals.run(beforeMs);
      this.#statements.pruneGiven.run(beforeMs - givenKeptMs);
      this.#pruneMemory();
    });
  }

  #flushFinished(): void {
    if (this.#finishing > 0) this.#db.flush();
  }

  /** What other processes of the agent had read, and more values than its index would hold. */
  #pruneMemory(): void {
    const { id = '', next = null } = this.#incarnation ?? {};
    this.#statements.pruneContexts.run(id, next?.id ?? '');
    this.#statements.pruneValues.run(id, next?.id ?? '');
    this.#statements.pruneOldValues.run(storedValuesMax);
    this.#statements.pruneHeld.run(id, next?.id ?? '');
    this.#statements.pruneOldHeld.run(heldMandatesMax);
  }

  /** Counted once for each call, however often the transaction around it is tried. */
  async #writeWith(entries: readonly EntryDraft[], work: () => void): Promise<void> {
    if (this.#spoolCount + entries.length > spoolEntriesMax) {
      throw new RecorderError('RECORDER_FULL', 'Too many entries wait to be recorded.');
    }
    this.#spoolCount += entries.length;
    try {
      await this.#db.write(() => {
        work();
        for (const entry of entries) {
          this.#statements.spool.run(++this.#spoolPosition, JSON.stringify(entry));
        }
      });
    } catch (failure) {
      this.#spoolCount -= entries.length;
      throw failure;
    }
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    readIncarnation: database.prepare('SELECT value FROM incarnation'),
    saveIncarnation: database.prepare('INSERT OR REPLACE INTO incarnation VALUES (1, ?)'),
    readContext: database.prepare('SELECT value FROM context WHERE incarnation = ?'),
    saveContext: database.prepare(
      // A row that is replaced is written into its index, too: one page more in each commit.
      'INSERT INTO context VALUES (?, ?) ON CONFLICT (incarnation) DO UPDATE SET value = excluded.value',
    ),
    readValues: database.prepare(
      'SELECT value FROM indexed_value WHERE incarnation = ? ORDER BY position',
    ),
    addValue: database.prepare('INSERT INTO indexed_value (incarnation, value) VALUES (?, ?)'),
    readHeld: database.prepare('SELECT * FROM held_mandate WHERE incarnation = ? ORDER BY rowid'),
    addHeld: database.prepare('INSERT OR IGNORE INTO held_mandate VALUES (?, ?, ?, ?, ?)'),
    readGiven: database.prepare(
      'SELECT delegate, chain FROM given_mandate WHERE task = ? ORDER BY rowid',
    ),
    give: database.prepare('INSERT INTO given_mandate VALUES (?, ?, ?, ?)'),
    pruneGiven: database.prepare('DELETE FROM given_mandate WHERE at < ?'),
    pruneHeld: database.prepare('DELETE FROM held_mandate WHERE incarnation NOT IN (?, ?)'),
    pruneOldHeld: database.prepare(
      'DELETE FROM held_mandate WHERE rowid <= (SELECT max(rowid) FROM held_mandate) - ?',
    ),
    handOver: database.prepare(
      `UPDATE inbox_step SET state = 'handed', incarnation = ? WHERE ${ofMessage}`,
    ),
    finish: database.prepare(
      `UPDATE inbox_step SET state = 'done' WHERE incarnation = ? AND ${ofMessage} AND state = 'handed'`,
    ),
    receive: database.prepare('INSERT INTO inbox_message VALUES (?, ?, ?)'),
    begin: database.prepare('INSERT INTO inbox_step (position, state, at) VALUES (?, ?, ?)'),
    isKnown: database.prepare('SELECT 1 FROM inbox_message WHERE id = ?'),
    readMessage: database.prepare(
      'SELECT * FROM inbox_message JOIN inbox_step USING (position) WHERE id = ?',
    ),
    listMessages: database.prepare(
      'SELECT * FROM inbox_step JOIN inbox_message USING (position)' +
        ' WHERE state = ? ORDER BY position LIMIT ?',
    ),
    setState: database.prepare(`UPDATE inbox_step SET state = ? WHERE ${ofMessage}`),
    saveReply: database.prepare(`UPDATE inbox_step SET reply = ? WHERE ${ofMessage}`),
    spool: database.prepare('INSERT INTO spool (position, entry) VALUES (?, ?)'),
    readSpool: database.prepare('SELECT position, entry FROM spool ORDER BY position LIMIT ?'),
    unspool: database.prepare('DELETE FROM spool WHERE position = ?'),
    queueReport: database.prepare('INSERT INTO allotment_report (report) VALUES (?)'),
    readReports: database.prepare(
      'SELECT position, report FROM allotment_report ORDER BY position LIMIT ?',
    ),
    dropReport: database.prepare('DELETE FROM allotment_report WHERE position = ?'),
    pruneMessages: database.prepare(
      `DELETE FROM inbox_message WHERE position IN (SELECT position FROM inbox_step WHERE ${isOver})`,
    ),
    pruneSteps: database.prepare(`DELETE FROM inbox_step WHERE ${isOver}`),
    countRefusal: database.prepare(
      'INSERT INTO refusal VALUES (?, 1, ?) ON CONFLICT (task) DO UPDATE SET count = count + 1',
    ),
    readRefusals: database.prepare('SELECT count FROM refusal WHERE task = ?'),
    pruneRefusals: database.prepare('DELETE FROM refusal WHERE at < ?'),
    pruneContexts: database.prepare('DELETE FROM context WHERE incarnation NOT IN (?, ?)'),
    pruneValues: database.prepare('DELETE FROM indexed_value WHERE incarnation NOT IN (?, ?)'),
    pruneOldValues: database.prepare(
      'DELETE FROM indexed_value WHERE position <= (SELECT max(position) FROM indexed_value) - ?',
    ),
  };
}

function count({ database }: BatchedDatabase, query: string): number {
  return Number(database.prepare(query).get()?.['n'] ?? 0);
}

function inboxMessage(row: InboxRow): InboxMessage {
  const stored = JSON.parse(row.message) as Pick<InboxMessage, 'body' | 'entries'>;
  return {
    ...stored,
    state: row.state,
    incarnation: row.incarnation,
    reply: row.reply === null ? null : (JSON.parse(row.reply) as InboxMessage['reply']),
  };
}
