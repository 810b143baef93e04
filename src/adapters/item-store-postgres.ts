// SPDX-License-Identifier: Apache-2.0
import type { PoolClient, QueryResultRow } from 'pg';
import type { Audience } from '../knowledge/access.ts';
import type { KnowledgeCode } from '../knowledge/codes.ts';
import type { ItemFacts, ItemState, StoredItem } from '../knowledge/item.ts';
import { supersededKeptMs, type Find, type ItemStore, type Trail } from '../knowledge/item-store.ts';
import { KnowledgeError } from '../knowledge/knowledge-error.ts';
import { audienceOf, trailOf } from './item-rows.ts';
import type { PostgresPool } from './postgres-pool.ts';

/** Ids sort by their bytes, whatever the database's own order; a name is kept as JSON, since it may hold anything. */
const tables = `
  CREATE TABLE IF NOT EXISTS item (
    id text COLLATE "C" PRIMARY KEY, shelf text NOT NULL, task text, document text, state text NOT NULL,
    reason text, expires_at bigint NOT NULL, facts text NOT NULL, nonce text NOT NULL,
    ciphertext text NOT NULL, terms text[] NOT NULL, vector vector
  );
  CREATE INDEX IF NOT EXISTS item_shelf ON item (shelf, state, id);
  CREATE INDEX IF NOT EXISTS item_document ON item (shelf, document) WHERE document IS NOT NULL;
  CREATE INDEX IF NOT EXISTS item_expiry ON item (expires_at);
  CREATE INDEX IF NOT EXISTS item_superseded ON item (expires_at) WHERE state = 'superseded';
  CREATE INDEX IF NOT EXISTS item_terms ON item USING gin (terms);
  CREATE TABLE IF NOT EXISTS item_cause (cause text, item text, PRIMARY KEY (cause, item));
  CREATE TABLE IF NOT EXISTS item_trail (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, incarnation text NOT NULL,
    item text NOT NULL, call text
  );
  CREATE INDEX IF NOT EXISTS item_trail_item ON item_trail (item) WHERE call IS NOT NULL;
  CREATE INDEX IF NOT EXISTS item_trail_writer ON item_trail (incarnation, position) WHERE call IS NULL;
  CREATE INDEX IF NOT EXISTS item_trail_run ON item_trail (incarnation, item, position);
  CREATE TABLE IF NOT EXISTS barred_run (incarnation text PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS store_owner (one boolean PRIMARY KEY DEFAULT true CHECK (one), id text NOT NULL);
`;
const itemColumns =
  'id, state, reason, facts, nonce, ciphertext, terms, vector::real[] AS vector';
/** What puts aside waits for every read and write that began, and they for it: none spans it. */
const lock = (shared: '' | '_shared') =>
  `SELECT pg_advisory_xact_lock${shared}(hashtext('maso.knowledge'), hashtext(current_schema()))`;
const aside = `'quarantined', reason = 'KNOWLEDGE_QUARANTINED'`;
const candidatesPerFetch = 200;

/**
 * Kept items in a schema of a Postgres database with pgvector; see the port for the contract. The nearest
 * are compared exactly, in the database: an approximate index would leave out pieces for no reason that
 * anybody could see. One node has the schema to itself. Rejects with `KnowledgeError`.
 */
export class PostgresItemStore implements ItemStore {
  readonly #pool: PostgresPool;
  readonly #owner: string;
  readonly #schema: string;
  #prepared: Promise<void> | null = null;

  /** `owner` tells this node's state directory from every other. */
  constructor(pool: PostgresPool, schema: string, owner: string) {
    this.#pool = pool;
    this.#schema = schema;
    this.#owner = owner;
  }

  /**
   * Makes the tables where they are missing; every method asks for it, so that a database that was away is
   * used once it is back. Rejects with KNOWLEDGE_STORE_VECTOR where pgvector is absent and cannot be
   * made, KNOWLEDGE_STORE_FOREIGN where the schema is another node's.
   */
  prepare(): Promise<void> {
    const preparing = this.#prepared ?? this.#prepare();
    this.#prepared = preparing;
    preparing.catch(() => (this.#prepared = null));
    return preparing;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async add(items: readonly StoredItem[], supersedes: readonly string[] = []): Promise<void> {
    await this.prepare();
    await this.#pool.transaction(lock('_shared'), async (client) => {
      await setState(client, supersedes, 'superseded', 'KNOWLEDGE_SUPERSEDED');
      for (const item of items) await addItem(client, item);
    });
  }

  async get(id: string): Promise<StoredItem | null> {
    const [row] = await this.#rows(`SELECT ${itemColumns} FROM item WHERE id = $1`, [id]);
    return row === undefined ? null : itemOf(row);
  }

  async find({ shelf, task, terms, nowMs, limit }: Find): Promise<readonly StoredItem[]> {
    const rows = await this.#rows(
      `SELECT ${itemColumns} FROM item WHERE shelf = $1 AND state = 'current' AND expires_at > $2
         AND ($3::text IS NULL OR task = $3) AND terms @> $4 ORDER BY id DESC LIMIT $5`,
      [shelf, Math.floor(nowMs), task, terms, limit],
    );
    return rows.map(itemOf);
  }

  async nearest(
    shelf: string,
    vector: Float32Array,
    limit: number,
    maySee: (item: Audience) => boolean,
  ): ReturnType<ItemStore['nearest']> {
    await this.prepare();
    const near: { readonly item: StoredItem; readonly similarity: number }[] = [];
    await this.#pool.transaction('', async (client) => {
      await client.query(
        `DECLARE near NO SCROLL CURSOR FOR
           SELECT id, facts, state, -(vector <#> $1::real[]::vector) AS similarity FROM item
           WHERE shelf = $2 AND state IN ('current', 'flagged') AND vector IS NOT NULL
           ORDER BY vector <#> $1::real[]::vector, id`,
        [[...vector], shelf],
      );
      const found = new Map<string, number>();
      while (found.size < limit) {
        const { rows } = await client.query(`FETCH ${candidatesPerFetch} FROM near`);
        for (const row of rows) {
          if (found.size < limit && maySee(seenBy(row))) found.set(String(row['id']), Number(row['similarity']));
        }
        if (rows.length < candidatesPerFetch) break;
      }
      const { rows } = await client.query(`SELECT ${itemColumns} FROM item WHERE id = ANY($1)`, [[...found.keys()]]);
      const items = new Map(rows.map((row) => [String(row['id']), itemOf(row)]));
      for (const [id, similarity] of found) {
        const item = items.get(id);
        if (item !== undefined) near.push({ item, similarity });
      }
    });
    return near;
  }

  async count(shelf: string, nowMs: number): Promise<number> {
    const [row] = await this.#rows(
      `SELECT count(*) AS n FROM item WHERE shelf = $1 AND state <> 'superseded' AND expires_at > $2`,
      [shelf, Math.floor(nowMs)],
    );
    return Number(row?.['n'] ?? 0);
  }

  async list(shelf: string | null, after: string, limit: number): Promise<readonly StoredItem[]> {
    const rows = await this.#rows(
      `SELECT ${itemColumns} FROM item WHERE ($1::text IS NULL OR shelf = $1) AND id > $2 ORDER BY id LIMIT $3`,
      [shelf, after, limit],
    );
    return rows.map(itemOf);
  }

  async document(shelf: string, name: string): Promise<readonly ItemFacts[]> {
    const rows = await this.#rows(
      `SELECT ${itemColumns} FROM item
       WHERE shelf = $1 AND document = $2 AND state IN ('current', 'flagged') ORDER BY id`,
      [shelf, JSON.stringify(name)],
    );
    return rows.map(itemOf);
  }

  async setState(
    ids: readonly string[],
    state: ItemState,
    reason: KnowledgeCode | null,
  ): Promise<void> {
    await this.prepare();
    await this.#pool.transaction(lock('_shared'), (client) => setState(client, ids, state, reason));
  }

  async removeExpired(nowMs: number): Promise<number> {
    await this.#rows(
      `UPDATE item SET expires_at = $1 WHERE state = 'superseded' AND expires_at > $1`,
      [Math.floor(nowMs + supersededKeptMs)],
    );
    // A piece of a document is over only where it was superseded; what was put aside is kept for people to look at.
    const rows = await this.#rows(
      `DELETE FROM item WHERE expires_at <= $1 AND (document IS NULL OR state <> 'quarantined') RETURNING id`,
      [Math.floor(nowMs)],
    );
    return rows.length;
  }

  async noteReads(
    incarnation: string,
    call: string,
    items: readonly string[],
  ): Promise<readonly string[]> {
    if (items.length === 0) return [];
    await this.prepare();
    return this.#pool.transaction(lock('_shared'), async (client) => {
      const { rows } = await client.query(
        `INSERT INTO item_trail (incarnation, item, call)
           SELECT $1::text, asked.id, $2::text FROM unnest($3::text[]) WITH ORDINALITY AS asked (id, at)
           WHERE NOT EXISTS (SELECT FROM barred_run WHERE incarnation = $1)
             AND EXISTS (SELECT FROM item WHERE item.id = asked.id AND state <> 'quarantined')
           ORDER BY asked.at RETURNING item`,
        [incarnation, call, items],
      );
      return rows.map((row) => String(row['item']));
    });
  }

  async putAside(items: readonly string[], incarnations: readonly string[]): Promise<void> {
    await this.prepare();
    await this.#pool.transaction(lock(''), async (client) => {
      await client.query(
        'INSERT INTO barred_run SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [incarnations],
      );
      await setState(client, items, 'quarantined', 'KNOWLEDGE_QUARANTINED');
    });
  }

  async isBarred(incarnation: string): Promise<boolean> {
    return (await this.#rows('SELECT FROM barred_run WHERE incarnation = $1', [incarnation])).length > 0;
  }

  async readsOf(item: string): Promise<readonly Trail[]> {
    const rows = await this.#rows(
      'SELECT * FROM item_trail WHERE item = $1 AND call IS NOT NULL ORDER BY position', [item],
    );
    return rows.map(trailOf);
  }

  async writtenAfter(incarnation: string, position: number): Promise<readonly Trail[]> {
    const rows = await this.#rows(
      `SELECT * FROM item_trail WHERE incarnation = $1 AND position > $2 AND call IS NULL ORDER BY position`,
      [incarnation, position],
    );
    return rows.map(trailOf);
  }

  async firstTouch(incarnation: string, item: string): Promise<number | null> {
    const [row] = await this.#rows(
      'SELECT min(position) AS position FROM item_trail WHERE incarnation = $1 AND item = $2',
      [incarnation, item],
    );
    const position: unknown = row?.['position'] ?? null;
    return position === null ? null : Number(position);
  }

  async causedBy(id: string): Promise<readonly string[]> {
    const rows = await this.#rows('SELECT item FROM item_cause WHERE cause = $1', [id]);
    return rows.map((row) => String(row['item']));
  }

  async #rows(text: string, values: readonly unknown[]): Promise<readonly QueryResultRow[]> {
    await this.prepare();
    return this.#pool.rows(text, values);
  }

  async #prepare(): Promise<void> {
    const schema = this.#schema;
    // Asked for first: whoever may not make schemas may use one that was made for them.
    const [row] = await this.#pool.rows('SELECT to_regnamespace($1) IS NOT NULL AS there', [schema]);
    if (row?.['there'] !== true) await this.#pool.rows(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await this.#requireVector();
    await this.#pool.transaction(lock(''), (client) => client.query(tables));
    await this.#pool.rows('INSERT INTO store_owner (id) VALUES ($1) ON CONFLICT DO NOTHING', [this.#owner]);
    const [owned] = await this.#pool.rows('SELECT id FROM store_owner');
    if (owned?.['id'] === this.#owner) return;
    throw new KnowledgeError('KNOWLEDGE_STORE_FOREIGN', 'The schema holds items of another node.');
  }

  async #requireVector(): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      const [row] = await this.#pool.rows(`SELECT to_regtype('vector') IS NOT NULL AS there`);
      return row?.['there'] === true;
    };
    if (await isThere()) return;
    try {
      await this.#pool.rows('CREATE EXTENSION IF NOT EXISTS vector SCHEMA public');
    } catch (cause) {
      // Absent, or not this user's to make; a server that is away says so with the next query.
      if (!(await isThere())) {
        throw new KnowledgeError('KNOWLEDGE_STORE_VECTOR', 'The database lacks the extension vector.', { cause });
      }
    }
  }
}

async function addItem(client: PoolClient, item: StoredItem): Promise<void> {
  const { nonce, ciphertext, vector, terms, state, reason, ...facts } = item;
  const { id, shelf, task, document, expiresAt, incarnation, causes } = facts;
  await client.query({
    text: `INSERT INTO item (
        id, shelf, task, document, state, reason, expires_at, facts, nonce, ciphertext, terms, vector
      ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::real[]::vector)`,
    values: [
      id, shelf, task, document === null ? null : JSON.stringify(document), state, reason, expiresAt,
      JSON.stringify(facts), nonce, ciphertext, terms, vector === null ? null : [...vector],
    ],
  });
  if (causes.length > 0) {
    await client.query(
      'INSERT INTO item_cause SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING', [causes, id],
    );
  }
  if (incarnation === null) return;
  await client.query('INSERT INTO item_trail (incarnation, item) VALUES ($1, $2)', [incarnation, id]);
  await client.query(
    `UPDATE item SET state = ${aside} WHERE id = $1 AND EXISTS (SELECT FROM barred_run WHERE incarnation = $2)`,
    [id, incarnation],
  );
}

/** What was put aside stays aside, whatever else is found about it. */
async function setState(
  client: PoolClient,
  ids: readonly string[],
  state: ItemState,
  reason: KnowledgeCode | null,
): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    `UPDATE item SET state = $1::text, reason = $2,
       expires_at = CASE $1::text WHEN 'current' THEN (facts::json ->> 'expiresAt')::bigint ELSE expires_at END
     WHERE id = ANY($3) AND (state <> 'quarantined' OR $1::text = 'current')`,
    [state, reason, ids],
  );
}

function itemOf(row: QueryResultRow): StoredItem {
  const { id, state, reason, facts, nonce, ciphertext, terms, vector } = row;
  // What stands in the columns beside it is authenticated when it is opened.
  const parsed = JSON.parse(String(facts)) as Omit<StoredItem, 'id' | 'state' | 'reason' | 'terms'>;
  return {
    ...parsed,
    id: String(id),
    state: String(state) as ItemState,
    reason: reason === null ? null : (String(reason) as KnowledgeCode),
    nonce: String(nonce),
    ciphertext: String(ciphertext),
    terms: Array.isArray(terms) ? terms.map(String).toSorted() : [],
    vector: Array.isArray(vector) ? Float32Array.from(vector, Number) : null,
  };
}

function seenBy(row: QueryResultRow): Audience {
  return audienceOf(JSON.parse(String(row['facts'])) as ItemFacts, String(row['state']) as ItemState);
}
