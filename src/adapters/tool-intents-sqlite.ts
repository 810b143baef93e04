// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { RiskClass } from '../mesh/mesh.ts';
import type { JsonValue } from '../message/json.ts';
import type {
  Begun,
  DoubtfulIntent,
  Intent,
  IntentStore,
  KeptCall,
  Settlement,
  StoredOutcome,
  UnrecordedEnd,
} from '../tool/intent-store.ts';
import { callDigest } from '../tool/intent-store.ts';
import { ToolError } from '../tool/tool-error.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS tool_intent (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'in-doubt')),
    call_digest TEXT NOT NULL,
    intent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    code TEXT,
    outcome TEXT,
    recorded INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS tool_settlement (
    request_id TEXT PRIMARY KEY, statement TEXT NOT NULL, "end" TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tool_intent_state ON tool_intent (state) WHERE state <> 'done';
  CREATE INDEX IF NOT EXISTS tool_intent_unrecorded ON tool_intent (recorded) WHERE recorded = 0;
`;

/** The attempt that somebody looked at, and no later one. */
const inThisDoubt =
  " WHERE key = ? AND state = 'in-doubt' AND request_id = ? AND json_extract(intent, '$.at') = ?";

type Row = { readonly [column: string]: SQLOutputValue };

/**
 * Intents in SQLite, each statement its own transaction. The connection is set to WAL with
 * `synchronous=FULL`, so that a statement that returned survives `kill -9` and power loss. It may
 * share the database with the sidecar's other tables; nothing here leaves a transaction open.
 */
export class SqliteIntentStore implements IntentStore {
  readonly #database: DatabaseSync;
  readonly #statements;

  constructor(database: DatabaseSync) {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(schema);
    this.#database = database;
    this.#statements = {
      insert: database.prepare(
        'INSERT INTO tool_intent (key, state, call_digest, intent, request_id)' +
          " VALUES (?, 'open', ?, ?, ?) ON CONFLICT (key) DO NOTHING",
      ),
      read: database.prepare('SELECT * FROM tool_intent WHERE key = ?'),
      settle: database.prepare(
        "UPDATE tool_intent SET state = 'done', outcome = ?, code = NULL, recorded = 0" +
          " WHERE key = ? AND state = 'open'",
      ),
      doubt: database.prepare(
        "UPDATE tool_intent SET state = 'in-doubt', code = ?, recorded = 0" +
          " WHERE key = ? AND state = 'open'",
      ),
      reopen: database.prepare(
        "UPDATE tool_intent SET state = 'open', intent = json_set(intent, '$.at', ?)" +
          " WHERE key = ? AND state = 'in-doubt'",
      ),
      doneAfterDoubt: database.prepare(
        "UPDATE tool_intent SET state = 'done', outcome = ?, code = NULL, recorded = 1" + inThisDoubt,
      ),
      notRun: database.prepare(`DELETE FROM tool_intent${inThisDoubt}`),
      settled: database.prepare('INSERT INTO tool_settlement VALUES (?, ?, ?, ?)'),
      settlement: database.prepare('SELECT statement FROM tool_settlement WHERE request_id = ?'),
      forget: database.prepare("DELETE FROM tool_intent WHERE key = ? AND state = 'open'"),
      recorded: database.prepare(
        "UPDATE tool_intent SET recorded = 1 WHERE key = ? AND request_id = ? AND state <> 'open'",
      ),
      // Only what came after is read: nothing is indexed for a question that a kill alone asks.
      followed: database.prepare(
        'SELECT 1 FROM tool_intent WHERE rowid > (SELECT rowid FROM tool_intent WHERE key = ?)' +
          " AND json_extract(intent, '$.action') = ? AND json_extract(intent, '$.argumentsDigest') = ?" +
          " AND json_extract(intent, '$.requester') <> json_extract(intent, '$.executor') LIMIT 1",
      ),
      inState: database.prepare('SELECT * FROM tool_intent WHERE state = ? ORDER BY rowid'),
      unrecorded: database.prepare(
        "SELECT * FROM tool_intent WHERE recorded = 0 AND state <> 'open' ORDER BY rowid",
      ),
    };
  }

  async begin(intent: Intent): Promise<Begun> {
    const digest = callDigest(intent);
    const text = JSON.stringify(intent);
    const inserted = this.#statements.insert.run(intent.key, digest, text, intent.requestId);
    if (inserted.changes === 1) return { state: 'new' };
    const row = this.#statements.read.get(intent.key);
    if (row === undefined || row['call_digest'] !== digest) return { state: 'reused' };
    if (row['state'] === 'done') return { state: 'done', outcome: outcomeOf(row) };
    if (row['state'] === 'in-doubt') return { state: 'in-doubt', code: codeOf(row) };
    return { state: 'running' };
  }

  async settle(key: string, outcome: StoredOutcome): Promise<void> {
    this.#changeOne(this.#statements.settle.run(JSON.stringify(outcome), key).changes);
  }

  async markInDoubt(key: string, code: string): Promise<void> {
    this.#changeOne(this.#statements.doubt.run(code, key).changes);
  }

  async reopen(key: string, atMs: number): Promise<void> {
    this.#changeOne(this.#statements.reopen.run(atMs, key).changes);
  }

  async settleDoubt(intent: DoubtfulIntent, settlement: Settlement): Promise<boolean> {
    const { statement, end, at } = settlement;
    const { key, requestId } = intent;
    const outcome: StoredOutcome = { status: 'DONE', result: null, at };
    const database = this.#database;
    database.exec('BEGIN IMMEDIATE');
    try {
      const { doneAfterDoubt, notRun, settled } = this.#statements;
      const { changes } = end === 'done'
        ? doneAfterDoubt.run(JSON.stringify(outcome), key, requestId, intent.at)
        : notRun.run(key, requestId, intent.at);
      if (changes === 1) settled.run(requestId, statement, end, at);
      database.exec('COMMIT');
      return changes === 1;
    } catch (failure) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw failure;
    }
  }

  settlementOf(requestId: string): string | null {
    const statement = this.#statements.settlement.get(requestId)?.['statement'];
    return typeof statement === 'string' ? statement : null;
  }

  async forget(key: string): Promise<void> {
    this.#changeOne(this.#statements.forget.run(key).changes);
  }

  async markRecorded(key: string, requestId: string): Promise<void> {
    this.#statements.recorded.run(key, requestId);
  }

  find(key: string): KeptCall | null {
    const row = this.#statements.read.get(key);
    if (row === undefined) return null;
    return {
      intent: intentOf(row),
      outcome: row['state'] === 'done' ? outcomeOf(row) : null,
      code: row['state'] === 'in-doubt' ? codeOf(row) : null,
    };
  }

  isFollowedBy({ key }: Intent, action: string, argumentsDigest: string): boolean {
    return this.#statements.followed.get(key, action, argumentsDigest) !== undefined;
  }

  openIntents(): readonly Intent[] {
    return this.#statements.inState.all('open').map(intentOf);
  }

  inDoubt(): readonly DoubtfulIntent[] {
    return this.#statements.inState
      .all('in-doubt')
      .map((row) => ({ ...intentOf(row), code: codeOf(row) }));
  }

  unrecorded(): readonly UnrecordedEnd[] {
    return this.#statements.unrecorded.all().map((row) => ({
      intent: intentOf(row),
      end: row['state'] === 'done' ? 'done' : 'in-doubt',
      code: row['state'] === 'done' ? null : codeOf(row),
    }));
  }

  /** An end for a call that is not open means two gates on one store, or a lost row. */
  #changeOne(changes: number | bigint): void {
    if (changes === 1) return;
    throw new ToolError(
      'TOOL_STORE_UNAVAILABLE',
      'The intent is not in the state that this needs.',
    );
  }
}

function codeOf(row: Row): string {
  return typeof row['code'] === 'string' ? row['code'] : 'TOOL_INTERRUPTED';
}

/** The row was written by this class; a file that somebody edited is refused, not guessed at. */
function intentOf(row: Row): Intent {
  const value: unknown = parsed(row['intent']);
  if (!isRecord(value)) throw broken();
  const text = (member: string): string => {
    const found = value[member];
    if (typeof found !== 'string') throw broken();
    return found;
  };
  const optional = (member: string): string | null =>
    value[member] === null ? null : text(member);
  const risk = text('risk');
  const at = value['at'];
  if (!isRisk(risk) || typeof at !== 'number') throw broken();
  return {
    key: text('key'),
    requestId: text('requestId'),
    executor: text('executor'),
    requester: text('requester'),
    action: optional('action'),
    tool: text('tool'),
    operation: text('operation'),
    argumentsDigest: text('argumentsDigest'),
    // Doubt about an effect counts as an effect.
    write: value['write'] !== false,
    risk,
    privileged: value['privileged'] !== false,
    task: optional('task'),
    mandate: optional('mandate'),
    at,
  };
}

function outcomeOf(row: Row): StoredOutcome {
  const value: unknown = parsed(row['outcome']);
  if (!isRecord(value) || value['status'] !== 'DONE' ||
    typeof value['at'] !== 'number') throw broken();
  if (value['result'] === undefined) throw broken();
  return { status: 'DONE', result: value['result'] as JsonValue, at: value['at'] };
}

function parsed(text: SQLOutputValue | undefined): unknown {
  if (typeof text !== 'string') throw broken();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ToolError('TOOL_STORE_UNAVAILABLE', 'A stored intent cannot be read.', { cause });
  }
}

function isRecord(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRisk(text: string): text is RiskClass {
  return ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'].includes(text);
}

function broken(): ToolError {
  return new ToolError('TOOL_STORE_UNAVAILABLE', 'A stored intent does not have its shape.');
}
