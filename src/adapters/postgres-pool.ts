// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { Pool, PoolClient, PoolConfig, QueryResultRow } from 'pg';
import { KnowledgeError } from '../knowledge/knowledge-error.ts';
import { transportOf, type KnowledgeStoreSettings } from '../mesh/knowledge-settings.ts';
import { readOwnerOnly } from './credential-file.ts';

const connectionsMax = 8;
const connectMs = 5_000;
const statementMs = 30_000;

/**
 * Connections to one schema of a Postgres database. A commit is durable when it resolves, whatever the
 * server's own setting. Everything rejects with `KnowledgeError`, whose text holds no value: what the
 * server says may.
 */
export class PostgresPool {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
    // An idle connection that breaks is replaced with the next query; unheard, it would end the process.
    pool.on('error', () => undefined);
  }

  async rows(text: string, values: readonly unknown[] = []): Promise<readonly QueryResultRow[]> {
    try {
      return (await this.#pool.query(text, [...values])).rows;
    } catch (cause) {
      throw failed(cause);
    }
  }

  /** All or nothing. `begin` is what the transaction starts with, before it sees anything. */
  async transaction<Value>(begin: string, work: (client: PoolClient) => Promise<Value>): Promise<Value> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (cause) {
      throw failed(cause);
    }
    let broken = false;
    // The pool listens to idle connections alone; a checked-out one that breaks unheard would end the process.
    const onError = (): void => void (broken = true);
    client.on('error', onError);
    try {
      await client.query(`BEGIN; ${begin}`);
      const value = await work(client);
      await client.query('COMMIT');
      return value;
    } catch (cause) {
      await client.query('ROLLBACK').catch(() => (broken = true));
      throw failed(cause);
    } finally {
      client.removeListener('error', onError);
      // A connection that broke or cannot even roll back is closed, and the server rolls back.
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** Opens no connection yet. Rejects with KNOWLEDGE_STORE_LIBRARY, or where the authority's file cannot be read. */
export async function openPostgres(settings: KnowledgeStoreSettings): Promise<PostgresPool> {
  const config = await configOf(settings);
  try {
    const { default: pg } = await import('pg');
    return new PostgresPool(new pg.Pool(config));
  } catch (cause) {
    throw new KnowledgeError('KNOWLEDGE_STORE_LIBRARY', 'The package pg is not installed.', { cause });
  }
}

/**
 * Nothing comes from the environment but a password that is asked for by name. TLS 1.3 with a certificate
 * of the host's name, but for a unix socket, and on loopback where neither an authority nor a password is
 * named: whoever answers in clear may ask for the password itself.
 */
async function configOf(settings: KnowledgeStoreSettings): Promise<PoolConfig> {
  const { host, port, database, user, schema, caFile } = settings;
  const transport = transportOf(settings);
  const isClear = transport === 'socket' || (transport === 'clear' && settings.password === null);
  const ca = caFile === null ? {} : { ca: await readFile(caFile, 'utf8') };
  const password = passwordOf(settings);
  return {
    host, port, database, user, password,
    ssl: isClear ? false : { ...ca, host, minVersion: 'TLSv1.3', rejectUnauthorized: true },
    max: connectionsMax,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + connectMs,
    keepAlive: true,
    application_name: 'maso',
    options: `-c synchronous_commit=on -c search_path=${schema},public`,
  };
}

/** Asked for with each connection, so that a changed file is used at once. */
function passwordOf({ password }: KnowledgeStoreSettings): () => Promise<string> {
  if (password === null) return async () => '';
  if (password.kind === 'file') return () => passwordInFile(password.path);
  const value = process.env[password.name] ?? '';
  // Sidecars and whatever else is started from here need not inherit it.
  delete process.env[password.name];
  return async () => value;
}

async function passwordInFile(path: string): Promise<string> {
  const read = await readOwnerOnly(path);
  if (read.state === 'read') return read.bytes.toString('utf8').trim();
  const message = read.state === 'exposed' ? 'Others may read the password of the store.'
    : 'The password of the store is absent.';
  throw new KnowledgeError('KNOWLEDGE_STORE_PASSWORD', message);
}

function failed(cause: unknown): KnowledgeError {
  if (cause instanceof KnowledgeError) return cause;
  return new KnowledgeError('KNOWLEDGE_UNAVAILABLE', 'The store of kept items failed.', { cause });
}
