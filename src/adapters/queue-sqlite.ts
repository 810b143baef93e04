// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import type { Random } from '../message/clock.ts';
import { DigestTable } from '../message/digest-table.ts';
import type { MessageQueue, QueuedMessage } from '../bus/message-queue.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

type Row = {
  readonly position: number;
  readonly id: string;
  readonly sender: string;
  readonly recipient: string;
  readonly nonce: string;
  readonly digest: string;
  readonly envelope: string | null;
  readonly expires_at: number;
};

const schema = `
  CREATE TABLE IF NOT EXISTS message (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    nonce TEXT NOT NULL,
    digest TEXT NOT NULL,
    envelope TEXT,
    expires_at INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS replay_memory (since INTEGER NOT NULL);
`;

/**
 * Room for what 5,000 messages a second leave behind in a minute, in 42 MB; more makes it grow, once, by as much.
 * A node of two processors carries half of that.
 */
const rememberedRows = 300_000;
/** Contents of waiting messages held in memory, over all recipients. */
const bytesHeldMax = 64 * 1024 * 1024;
/** What expired is forgotten in as many steps, so that no message waits for more than one of them. */
const pruneSteps = 16;

/**
 * The node's queue in SQLite. The whole replay memory (ids and nonces of what has not expired) is
 * also held in memory, so that a check costs no query; contents of waiting messages stay in memory
 * up to a bound and are read from disk beyond it.
 */
export class SqliteMessageQueue implements MessageQueue {
  readonly intactSinceMs: number;
  readonly #db: BatchedDatabase;
  /** Expiry and digest of the envelope by message id. */
  readonly #digests: DigestTable;
  /** Expiry by sender and nonce. */
  readonly #nonces: DigestTable;
  readonly #waiting = new Map<string, Map<number, QueuedMessage>>();
  /** Counts of `#waiting` by recipient and sender; no entry where there are none. */
  readonly #counts = new Map<string, number>();
  readonly #insert;
  readonly #settle;
  readonly #remove;
  readonly #read;
  readonly #oldest;
  readonly #prune;
  #bytesHeld = 0;
  #next: number;

  /** A queue whose file is new remembers no nonce from before now, and says so. */
  constructor(db: BatchedDatabase, nowMs: number, random: Random) {
    this.#db = db;
    this.#digests = new DigestTable(rememberedRows, random, 'with notes');
    this.#nonces = new DigestTable(rememberedRows, random, 'without notes');
    db.database.exec(schema);
    const memory = db.database.prepare('SELECT since FROM replay_memory').get();
    this.intactSinceMs = typeof memory?.['since'] === 'number' ? memory['since'] : nowMs;
    if (memory === undefined) {
      db.database.prepare('INSERT INTO replay_memory (since) VALUES (?)').run(nowMs);
    }
    this.#insert = db.database.prepare(
      'INSERT INTO message (position, id, sender, recipient, nonce, digest, envelope, expires_at)' +
        ' VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#settle = db.database.prepare('UPDATE message SET envelope = NULL WHERE position = ?');
    this.#remove = db.database.prepare('DELETE FROM message WHERE position = ?');
    this.#read = db.database.prepare('SELECT envelope FROM message WHERE position = ?');
    this.#oldest = db.database.prepare('SELECT min(position) AS first FROM message');
    this.#prune = db.database.prepare(
      'DELETE FROM message WHERE position >= ? AND position < ? AND envelope IS NULL AND expires_at < ?',
    );
    this.#next = this.#load();
  }

  async enqueue(body: EnvelopeBody, envelope: SignedEnvelope): Promise<QueuedMessage> {
    const position = this.#next++;
    const digest = createHash('sha256').update(envelope).digest();
    const nonceKey = `${body.from} ${body.nonce}`;
    this.#digests.set(body.id, body.expiresAt, digest);
    this.#nonces.set(nonceKey, body.expiresAt);
    const message: QueuedMessage = {
      position,
      id: body.id,
      from: body.from,
      to: body.to,
      envelope,
      expiresAt: body.expiresAt,
    };
    try {
      await this.#db.write(() =>
        this.#insert.run(
          position,
          body.id,
          body.from,
          body.to,
          body.nonce,
          digest.toString('base64url'),
          envelope,
          body.expiresAt,
        ),
      );
    } catch (failure) {
      this.#digests.delete(body.id);
      this.#nonces.delete(nonceKey);
      throw failure;
    }
    return message;
  }

  release(message: QueuedMessage): void {
    this.#lane(message.to).set(message.position, this.#remember(message));
    this.#count(message, 1);
  }

  async settle(position: number): Promise<void> {
    for (const lane of this.#waiting.values()) {
      const message = lane.get(position);
      if (message === undefined) continue;
      this.#bytesHeld -= message.envelope.length;
      lane.delete(position);
      this.#count(message, -1);
      break;
    }
    await this.#db.writeSoon(() => this.#settle.run(position));
  }

  async withdraw(message: QueuedMessage, nonce: string): Promise<void> {
    this.#nonces.delete(`${message.from} ${nonce}`);
    this.#digests.delete(message.id);
    await this.#db.write(() => this.#remove.run(message.position));
  }

  pending(to: string, without: ReadonlySet<number>, limit: number): readonly QueuedMessage[] {
    const found: QueuedMessage[] = [];
    for (const message of this.#lane(to).values()) {
      if (found.length >= limit) break;
      if (!without.has(message.position)) found.push(this.#recall(message));
    }
    return found;
  }

  async flushed(): Promise<void> {
    await this.#db.write(() => undefined);
  }

  expired(nowMs: number, limit: number): readonly QueuedMessage[] {
    const found: QueuedMessage[] = [];
    for (const lane of this.#waiting.values()) {
      for (const message of lane.values()) {
        if (found.length >= limit) return found;
        if (message.expiresAt < nowMs) found.push(this.#recall(message));
      }
    }
    return found;
  }

  pendingCount(to: string): number {
    return this.#waiting.get(to)?.size ?? 0;
  }

  pendingCountFrom(to: string, from: string): number {
    return this.#counts.get(`${to} ${from}`) ?? 0;
  }

  digestOf(id: string): string | null {
    const digest = this.#digests.noteOf(id);
    return digest === null ? null : Buffer.from(digest).toString('base64url');
  }

  nonceKnown(from: string, nonce: string): boolean {
    return this.#nonces.has(`${from} ${nonce}`);
  }

  /** Forgets ids and nonces of settled messages that have expired: a replay of them is stale anyway. */
  async prune(nowMs: number): Promise<void> {
    const end = this.#next;
    const first = Number(this.#oldest.get()?.['first'] ?? end);
    const perStep = Math.ceil((end - first) / pruneSteps);
    for (let step = 0; step < pruneSteps; step += 1) {
      this.#digests.deleteBelow(nowMs, step, pruneSteps);
      this.#nonces.deleteBelow(nowMs, step, pruneSteps);
      const from = first + step * perStep;
      await this.#db.writeSoon(() => this.#prune.run(from, from + perStep, nowMs));
    }
  }

  #load(): number {
    let next = 0;
    const rows = this.#db.database.prepare('SELECT * FROM message ORDER BY position').iterate();
    for (const raw of rows) {
      const row = raw as unknown as Row;
      next = row.position + 1;
      const nonceKey = `${row.sender} ${row.nonce}`;
      this.#digests.set(row.id, row.expires_at, Buffer.from(row.digest, 'base64url'));
      this.#nonces.set(nonceKey, row.expires_at);
      if (row.envelope === null) continue;
      this.release({
        position: row.position,
        id: row.id,
        from: row.sender,
        to: row.recipient,
        envelope: row.envelope,
        expiresAt: row.expires_at,
      });
    }
    return next;
  }

  /** Beyond the memory bound a waiting message keeps its place and leaves its content on disk. */
  #remember(message: QueuedMessage): QueuedMessage {
    if (this.#bytesHeld + message.envelope.length > bytesHeldMax) return { ...message, envelope: '' };
    this.#bytesHeld += message.envelope.length;
    return message;
  }

  #recall(message: QueuedMessage): QueuedMessage {
    if (message.envelope !== '') return message;
    const envelope = this.#read.get(message.position)?.['envelope'];
    return typeof envelope === 'string' ? { ...message, envelope } : message;
  }

  #count({ to, from }: QueuedMessage, change: 1 | -1): void {
    const count = this.pendingCountFrom(to, from) + change;
    if (count > 0) this.#counts.set(`${to} ${from}`, count);
    else this.#counts.delete(`${to} ${from}`);
  }

  #lane(recipient: string): Map<number, QueuedMessage> {
    const known = this.#waiting.get(recipient);
    if (known !== undefined) return known;
    const lane = new Map<number, QueuedMessage>();
    this.#waiting.set(recipient, lane);
    return lane;
  }
}
