// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Audience } from '../knowledge/access.ts';
import type { KnowledgeCode } from '../knowledge/codes.ts';
import type { ItemFacts, ItemState, StoredItem } from '../knowledge/item.ts';
import { supersededKeptMs, type Find, type ItemStore, type Trail } from '../knowledge/item-store.ts';
import { BlindVectors } from './blind-vectors.ts';
import { audienceOf, trailOf } from './item-rows.ts';
import type { BatchedDatabase } from './sqlite-batch.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS item (
    id TEXT PRIMARY KEY, shelf TEXT NOT NULL, task TEXT, document TEXT, state TEXT NOT NULL,
    reason TEXT, expires_at INTEGER NOT NULL, facts TEXT NOT NULL, nonce TEXT NOT NULL,
    ciphertext TEXT NOT NULL, vector BLOB
  ) STRICT;
  CREATE INDEX IF NOT EXISTS item_shelf ON item (shelf, state, id);
  CREATE INDEX IF NOT EXISTS item_expiry ON item (expires_at);
  CREATE INDEX IF NOT EXISTS item_superseded ON item (expires_at) WHERE state = 'superseded';
  CREATE TABLE IF NOT EXISTS item_term (
    shelf TEXT NOT NULL, term TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (shelf, term, item)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS item_term_item ON item_term (item);
  CREATE TABLE IF NOT EXISTS item_cause (
    cause TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (cause, item)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS item_trail (
    position INTEGER PRIMARY KEY AUTOINCREMENT, incarnation TEXT NOT NULL, item TEXT NOT NULL, call TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS item_trail_item ON item_trail (item) WHERE call IS NOT NULL;
  CREATE INDEX IF NOT EXISTS item_trail_writer ON item_trail (incarnation, position) WHERE call IS NULL;
  CREATE INDEX IF NOT EXISTS item_trail_run ON item_trail (incarnation, item, position);
  CREATE TABLE IF NOT EXISTS barred_run (incarnation TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

const vectorsPerPage = 500;
/** A piece of a document is over only where it was superseded; what was put aside is kept for people to look at. */
const over = `expires_at <= ? AND (document IS NULL OR state <> 'quarantined')`;

type Row = { readonly [column: string]: unknown };

/**
 * Kept items in one SQLite file of the node; see the port for the contract. Blind vectors of a shelf that
 * was asked for are in memory as well, 1 KB for each piece, which `pieces_max` bounds. What followed from
 * an item stays known after it ended.
 */
export class SqliteItemStore implements ItemStore {
  readonly #db: BatchedDatabase;
  readonly #statements: ReturnType<typeof prepare>;
  /** By shelf that was asked for; kept as the table is. `ready` is null while it is being read. */
  readonly #vectors = new Map<string, { readonly read: Promise<BlindVectors>; ready: BlindVectors | null }>();

  constructor(db: BatchedDatabase) {
    this.#db = db;
    db.database.exec(schema);
    this.#statements = prepare(db);
  }

  async add(items: readonly StoredItem[], supersedes: readonly string[] = []): Promise<void> {
    await this.#db.write(() => {
      const { setState } = this.#statements;
      for (const id of supersedes) setState.run('superseded', 'KNOWLEDGE_SUPERSEDED', id);
      for (const item of items) this.#add(item);
    });
    // A shelf that is being read may have been read past them.
    for (const item of items) {
      const { id, shelf, vector } = item;
      if (vector === null) continue;
      const ready = this.#vectors.get(shelf)?.ready ?? null;
      if (ready === null) this.#vectors.delete(shelf);
      else if (isIndexed(item.state)) ready.add(id, vector, audienceOf(item, item.state));
    }
    this.#noteState(supersedes, 'superseded');
  }

  async get(id: string): Promise<StoredItem | null> {
    const row = this.#statements.get.get(id);
    return row === undefined ? null : this.#itemOf(row);
  }

  async find({ shelf, task, terms, nowMs, limit }: Find): Promise<readonly StoredItem[]> {
    const { database } = this.#db;
    const withTerms = 'AND id IN (SELECT item FROM item_term WHERE shelf = ? AND term = ?)';
    const query = `SELECT * FROM item WHERE shelf = ? AND state = 'current' AND expires_at > ?
      ${task === null ? '' : 'AND task = ?'} ${terms.map(() => withTerms).join(' ')}
      ORDER BY id DESC LIMIT ?`;
    const given = [
      shelf, nowMs, ...(task === null ? [] : [task]), ...terms.flatMap((term) => [shelf, term]), limit,
    ];
    return database.prepare(query).all(...given).map((row) => this.#itemOf(row));
  }

  async nearest(
    shelf: string,
    vector: Float32Array,
    limit: number,
    maySee: (item: Audience) => boolean,
  ): ReturnType<ItemStore['nearest']> {
    const vectors = await this.#vectorsOf(shelf);
    return (await vectors.nearest(vector, limit, maySee)).flatMap(({ id, similarity }) => {
      const row = this.#statements.get.get(id);
      return row === undefined ? [] : [{ item: this.#itemOf(row), similarity }];
    });
  }

  async count(shelf: string, nowMs: number): Promise<number> {
    return Number(this.#statements.count.get(shelf, nowMs)?.['n'] ?? 0);
  }

  async list(shelf: string | null, after: string, limit: number): Promise<readonly StoredItem[]> {
    const { list, listShelf } = this.#statements;
    const rows = shelf === null ? list.all(after, limit) : listShelf.all(shelf, after, limit);
    return rows.map((row) => this.#itemOf(row));
  }

  async document(shelf: string, name: string): Promise<readonly ItemFacts[]> {
    return this.#statements.document.all(shelf, name).map((row) => this.#itemOf(row));
  }

  async setState(
    ids: readonly string[],
    state: ItemState,
    reason: KnowledgeCode | null,
  ): Promise<void> {
    await this.#db.write(() => {
      for (const id of ids) this.#statements.setState.run(state, reason, id);
    });
    this.#noteState(ids, state);
  }

  async removeExpired(nowMs: number): Promise<number> {
    const removed = await this.#db.write(() => {
      const keptUntilMs = nowMs + supersededKeptMs;
      this.#statements.endSuperseded.run(keptUntilMs, keptUntilMs);
      this.#statements.removeExpiredTerms.run(nowMs);
      return this.#statements.removeExpired.all(nowMs).map((row) => String(row['id']));
    });
    if (removed.length > 0) this.#noteState(removed, null);
    return removed.length;
  }

  async noteReads(
    incarnation: string,
    call: string,
    items: readonly string[],
  ): Promise<readonly string[]> {
    if (items.length === 0) return [];
    return this.#db.write(() => {
      const { note, stateOf } = this.#statements;
      if (this.#isBarred(incarnation)) return [];
      const served = items.filter((item) => isGiven(stateOf.get(item)?.['state']));
      for (const item of served) note.run(incarnation, item, call);
      return served;
    });
  }

  async putAside(items: readonly string[], incarnations: readonly string[]): Promise<void> {
    await this.#db.write(() => {
      for (const run of incarnations) this.#statements.bar.run(run);
      for (const id of items) this.#statements.setState.run('quarantined', 'KNOWLEDGE_QUARANTINED', id);
    });
    this.#noteState(items, 'quarantined');
  }

  async isBarred(incarnation: string): Promise<boolean> {
    return this.#isBarred(incarnation);
  }

  async firstTouch(incarnation: string, item: string): Promise<number | null> {
    const position = this.#statements.firstTouch.get(incarnation, item)?.['position'];
    return typeof position === 'number' ? position : null;
  }

  async readsOf(item: string): Promise<readonly Trail[]> {
    return this.#statements.readsOf.all(item).map(trailOf);
  }

  async writtenAfter(incarnation: string, position: number): Promise<readonly Trail[]> {
    return this.#statements.writtenAfter.all(incarnation, position).map(trailOf);
  }

  async causedBy(id: string): Promise<readonly string[]> {
    return this.#statements.causedBy.all(id).map((row) => String(row['item']));
  }

  /** In pages: others have their turn in between. */
  #vectorsOf(shelf: string): Promise<BlindVectors> {
    const known = this.#vectors.get(shelf);
    if (known !== undefined) return known.read;
    const reading = { read: this.#readVectors(shelf), ready: null as BlindVectors | null };
    this.#vectors.set(shelf, reading);
    // What could not be read is asked for again; whoever waits hears of it.
    reading.read.then((ready) => (reading.ready = ready), () => this.#vectors.delete(shelf));
    return reading.read;
  }

  /** What is served no more, or is gone (null), leaves the vectors; where it may come in again they are read anew. */
  #noteState(ids: readonly string[], state: ItemState | null): void {
    for (const [shelf, { ready }] of this.#vectors) {
      for (const id of ids) ready?.remove(id);
      if (ready === null || isIndexed(state) || ready.isWorn) this.#vectors.delete(shelf);
    }
  }

  #isBarred(incarnation: string): boolean {
    return this.#statements.isBarred.get(incarnation) !== undefined;
  }

  async #readVectors(shelf: string): Promise<BlindVectors> {
    const vectors = new BlindVectors();
    for (let after = ''; ; await nextTurn()) {
      const rows = this.#statements.vectors.all(shelf, after, vectorsPerPage);
      for (const row of rows) {
        after = String(row['id']);
        const vector = vectorOf(row['vector']);
        const facts = JSON.parse(String(row['facts'])) as ItemFacts;
        const state = String(row['state']) as ItemState;
        if (vector !== null) vectors.add(after, vector, audienceOf(facts, state));
      }
      if (rows.length < vectorsPerPage) return vectors;
    }
  }

  #add(item: StoredItem): void {
    const { nonce, ciphertext, vector, terms, state: asked, reason: why, ...facts } = item;
    const { add, addTerm, addCause, note } = this.#statements;
    const { id, shelf, task, document, expiresAt, incarnation, causes } = facts;
    const isAside = incarnation !== null && this.#isBarred(incarnation);
    const state = isAside ? 'quarantined' : asked;
    const reason = isAside ? 'KNOWLEDGE_QUARANTINED' : why;
    const bytes = vector === null ? null
      : new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    add.run(
      id, shelf, task, document, state, reason, expiresAt, JSON.stringify(facts), nonce, ciphertext, bytes,
    );
    for (const term of terms) addTerm.run(shelf, term, id);
    for (const cause of causes) addCause.run(cause, id);
    if (incarnation !== null) note.run(incarnation, id, null);
  }

  #itemOf(row: Row): StoredItem {
    // What stands in the columns beside it is authenticated when it is opened.
    const facts = JSON.parse(String(row['facts'])) as Omit<StoredItem, 'state' | 'reason' | 'terms'>;
    const id = String(row['id']);
    return {
      ...facts,
      state: String(row['state']) as ItemState,
      reason: row['reason'] === null ? null : (String(row['reason']) as KnowledgeCode),
      nonce: String(row['nonce']),
      ciphertext: String(row['ciphertext']),
      terms: this.#statements.termsOf.all(id).map((one) => String(one['term'])),
      vector: vectorOf(row['vector']),
    };
  }
}

function prepare({ database }: BatchedDatabase) {
  return {
    add: database.prepare('INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    addTerm: database.prepare('INSERT OR IGNORE INTO item_term VALUES (?, ?, ?)'),
    addCause: database.prepare('INSERT OR IGNORE INTO item_cause VALUES (?, ?)'),
    note: database.prepare('INSERT INTO item_trail (incarnation, item, call) VALUES (?, ?, ?)'),
    get: database.prepare('SELECT * FROM item WHERE id = ?'),
    termsOf: database.prepare('SELECT term FROM item_term WHERE item = ? ORDER BY term'),
    vectors: database.prepare(
      `SELECT id, vector, facts, state FROM item WHERE shelf = ? AND state IN ('current', 'flagged') AND id > ?
       ORDER BY id LIMIT ?`,
    ),
    count: database.prepare(
      `SELECT count(*) AS n FROM item WHERE shelf = ? AND state <> 'superseded' AND expires_at > ?`,
    ),
    list: database.prepare('SELECT * FROM item WHERE id > ? ORDER BY id LIMIT ?'),
    listShelf: database.prepare('SELECT * FROM item WHERE shelf = ? AND id > ? ORDER BY id LIMIT ?'),
    document: database.prepare(
      `SELECT * FROM item WHERE shelf = ? AND document = ? AND state IN ('current', 'flagged')`,
    ),
    // What was put aside stays aside, whatever else is found about it.
    setState: database.prepare(
      `UPDATE item SET state = ?1, reason = ?2,
         expires_at = CASE ?1 WHEN 'current' THEN json_extract(facts, '$.expiresAt') ELSE expires_at END
       WHERE id = ?3 AND (state <> 'quarantined' OR ?1 = 'current')`,
    ),
    endSuperseded: database.prepare(
      `UPDATE item SET expires_at = ? WHERE state = 'superseded' AND expires_at > ?`,
    ),
    removeExpired: database.prepare(`DELETE FROM item WHERE ${over} RETURNING id`),
    removeExpiredTerms: database.prepare(
      `DELETE FROM item_term WHERE item IN (SELECT id FROM item WHERE ${over})`,
    ),
    stateOf: database.prepare('SELECT state FROM item WHERE id = ?'),
    bar: database.prepare('INSERT OR IGNORE INTO barred_run VALUES (?)'),
    isBarred: database.prepare('SELECT 1 FROM barred_run WHERE incarnation = ?'),
    firstTouch: database.prepare(
      'SELECT min(position) AS position FROM item_trail WHERE incarnation = ? AND item = ?',
    ),
    readsOf: database.prepare(
      'SELECT * FROM item_trail WHERE item = ? AND call IS NOT NULL ORDER BY position',
    ),
    writtenAfter: database.prepare(
      'SELECT * FROM item_trail WHERE incarnation = ? AND position > ? AND call IS NULL ORDER BY position',
    ),
    causedBy: database.prepare('SELECT item FROM item_cause WHERE cause = ?'),
  };
}

/** States whose items queries may find. */
function isIndexed(state: ItemState | null): boolean {
  return state === 'current' || state === 'flagged';
}

/** What was read and is superseded by now was still good when it was found; what was put aside never is. */
function isGiven(state: unknown): boolean {
  return typeof state === 'string' && state !== 'quarantined';
}

/** A copy: the bytes of a row need not stand where floats may. */
function vectorOf(value: unknown): Float32Array | null {
  if (!(value instanceof Uint8Array) || value.byteLength % 4 !== 0) return null;
  return new Float32Array(value.slice().buffer);
}
