// SPDX-License-Identifier: Apache-2.0
import type { Approval, ApprovalStore } from '../oversight/approvals.ts';
import type { JoinTokenRecord, JoinTokenStore, JoinTokenUse } from '../identity/join-token.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS held_action (
    id TEXT PRIMARY KEY, message TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
    held_at INTEGER NOT NULL, value TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS held_action_message ON held_action (message, held_at);
  CREATE INDEX IF NOT EXISTS held_action_newest ON held_action (held_at);
  CREATE INDEX IF NOT EXISTS held_action_state ON held_action (state);
  CREATE TABLE IF NOT EXISTS join_token (
    digest TEXT PRIMARY KEY, agent TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
  );
  CREATE TABLE IF NOT EXISTS issued (
    thumbprint TEXT PRIMARY KEY, chain TEXT NOT NULL, expires_at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS join_token_end ON join_token (expires_at);
  CREATE INDEX IF NOT EXISTS issued_end ON issued (expires_at);
`;

const forgetEveryMs = 10_000;

/** How long spent and expired join tokens are remembered, to tell a theft from a typing error. */
const spentKeptMs = 24 * 3_600_000;

/** Held actions in SQLite. Pending ones are held in memory too; a save is seen at once. */
export class SqliteApprovalStore implements ApprovalStore {
  readonly #db: BatchedDatabase;
  readonly #pending = new Map<string, Approval>();
  readonly #save;
  readonly #byId;
  readonly #byMessage;
  readonly #byDigest;
  readonly #list;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#save = db.database.prepare('INSERT OR REPLACE INTO held_action VALUES (?, ?, ?, ?, ?, ?)');
    this.#byId = db.database.prepare('SELECT value FROM held_action WHERE id = ?');
    this.#byMessage = db.database.prepare(
      'SELECT value FROM held_action WHERE message = ? ORDER BY held_at DESC, rowid DESC LIMIT 1',
    );
    this.#byDigest = db.database.prepare(
      'SELECT value FROM held_action WHERE message = ? AND digest = ? ORDER BY held_at DESC LIMIT 1',
    );
    this.#list = db.database.prepare(
      'SELECT value FROM held_action ORDER BY held_at DESC LIMIT ?',
    );
    const rows = db.database.prepare("SELECT value FROM held_action WHERE state = 'pending'").all();
    for (const row of rows) {
      const approval = JSON.parse(String(row['value'])) as Approval;
      this.#pending.set(approval.id, approval);
    }
  }

  get(id: string): Approval | null {
    return this.#pending.get(id) ?? approvalOf(this.#byId.get(id));
  }

  byMessage(message: string, executor: string): Approval | null {
    for (const approval of this.#pending.values()) {
      const { hold } = approval;
      if (hold.message === message && hold.executor === executor) return approval;
    }
    return approvalOf(this.#byMessage.get(messageKey(message, executor)));
  }

  byDigest(message: string, executor: string, digest: string): Approval | null {
    const newest = this.byMessage(message, executor);
    if (newest?.hold.digest === digest) return newest;
    return approvalOf(this.#byDigest.get(messageKey(message, executor), digest));
  }

  pending(): readonly Approval[] {
    return [...this.#pending.values()].filter((approval) => approval.state === 'pending');
  }

  list(limit: number): readonly Approval[] {
    return this.#list.all(limit).flatMap((row) => approvalOf(row) ?? []);
  }

  async save(approval: Approval): Promise<void> {
    const before = this.get(approval.id);
    const { message, executor } = approval.hold;
    this.#pending.set(approval.id, approval);
    try {
      await this.#db.write(() =>
        this.#save.run(
          approval.id,
          messageKey(message, executor),
          approval.hold.digest,
          approval.state,
          approval.heldAt,
          JSON.stringify(approval),
        ),
      );
    } catch (failure) {
      if (before === null) this.#pending.delete(approval.id);
      else this.#pending.set(before.id, before);
      throw failure;
    }
    if (approval.state !== 'pending') this.#pending.delete(approval.id);
  }
}

function messageKey(message: string, executor: string): string {
  return `${executor} ${message}`;
}

function approvalOf(row: Record<string, unknown> | undefined): Approval | null {
  return row === undefined ? null : (JSON.parse(String(row['value'])) as Approval);
}

/** Join tokens in SQLite; see the port for the contract. */
export class SqliteJoinTokenStore implements JoinTokenStore {
  readonly #db: BatchedDatabase;
  readonly #add;
  readonly #read;
  readonly #spend;
  readonly #forget;

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#add = db.database.prepare(
      'INSERT INTO join_token (digest, agent, expires_at) VALUES (?, ?, ?)',
    );
    this.#read = db.database.prepare('SELECT * FROM join_token WHERE digest = ?');
    this.#spend = db.database.prepare('UPDATE join_token SET used_at = ? WHERE digest = ?');
    this.#forget = db.database.prepare('DELETE FROM join_token WHERE expires_at < ?');
  }

  async add(record: JoinTokenRecord): Promise<void> {
    await this.#db.write(() =>
      this.#add.run(record.secretDigest, record.agent, record.expiresAtMs),
    );
  }

  consume(secretDigest: string, agent: string, nowMs: number): Promise<JoinTokenUse> {
    return this.#db.write((): JoinTokenUse => {
      this.#forget.run(nowMs - spentKeptMs);
      const row = this.#read.get(secretDigest);
      if (row === undefined) return 'IDENTITY_JOIN_TOKEN_UNKNOWN';
      if (row['used_at'] !== null) return 'IDENTITY_JOIN_TOKEN_SPENT';
      if (!(nowMs < Number(row['expires_at']))) return 'IDENTITY_JOIN_TOKEN_EXPIRED';
      this.#spend.run(nowMs, secretDigest);
      return row['agent'] === agent ? 'ACCEPTED' : 'IDENTITY_JOIN_TOKEN_WRONG_AGENT';
    });
  }
}

/** Chains of the identities this node issued, kept until they expire. */
export class SqliteIssuedChains {
  readonly #db: BatchedDatabase;
  readonly #chains = new Map<string, { readonly chain: string; readonly expiresAtMs: number }>();
  #forgottenAt = 0;
  readonly #add;
  readonly #forget;

  constructor(db: BatchedDatabase, nowMs: number) {
    this.#db = db;
    db.database.exec(schema);
    this.#add = db.database.prepare('INSERT OR REPLACE INTO issued VALUES (?, ?, ?)');
    this.#forget = db.database.prepare('DELETE FROM issued WHERE expires_at < ?');
    this.#forget.run(nowMs);
    for (const row of db.database.prepare('SELECT * FROM issued').all()) {
      this.#chains.set(String(row['thumbprint']), {
        chain: String(row['chain']),
        expiresAtMs: Number(row['expires_at']),
      });
    }
  }

  /** Every chain that is remembered, oldest first. */
  all(): readonly { readonly thumbprint: string; readonly chain: string; readonly expiresAtMs: number }[] {
    return [...this.#chains].map(([thumbprint, issued]) => ({ thumbprint, ...issued }));
  }

  chainOf(thumbprint: string): string | null {
    return this.#chains.get(thumbprint)?.chain ?? null;
  }

  async add(thumbprint: string, chain: string, expiresAtMs: number, nowMs: number): Promise<void> {
    this.#forgetExpired(nowMs);
    this.#chains.set(thumbprint, { chain, expiresAtMs });
    await this.#db.write(() => {
      this.#forget.run(nowMs);
      this.#add.run(thumbprint, chain, expiresAtMs);
    });
  }

  /** Now and then: looking at all of them for each one would cost more than it is worth. */
  #forgetExpired(nowMs: number): void {
    if (nowMs < this.#forgottenAt + forgetEveryMs) return;
    this.#forgottenAt = nowMs;
    for (const [known, issued] of this.#chains) {
      if (issued.expiresAtMs < nowMs) this.#chains.delete(known);
    }
  }
}
