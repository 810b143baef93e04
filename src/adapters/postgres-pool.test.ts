// SPDX-License-Identifier: Apache-2.0
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { KnowledgeStoreSettings } from '../mesh/knowledge-settings.ts';
import { openPostgres, type PostgresPool } from './postgres-pool.ts';

/** Messages of the server (PostgreSQL documentation, "Message Formats"). */
const authenticationOk = Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1');
const authenticationCleartext = Buffer.from('R\0\0\0\x08\0\0\0\x03', 'latin1');
const done = Buffer.from('C\0\0\0\x0aBEGIN\0Z\0\0\0\x05T', 'latin1');
const ready = Buffer.from('Z\0\0\0\x05I', 'latin1');
const sslRequestCode = 80_877_103;

type Answers = {
  readonly greeting: Buffer;
  /** What comes of each statement. */
  readonly statement: (text: string, socket: Socket) => void;
};

let server: Server | null = null;
let pool: PostgresPool | null = null;
afterEach(async () => {
  await pool?.close();
  await new Promise((closed) => server?.close(closed));
  [pool, server] = [null, null];
});

/** Stands in for a database, or for who took its port; `received` is all that was sent to it. */
async function serve({ greeting, statement }: Answers): Promise<{ port: number; received: () => Buffer }> {
  const parts: Buffer[] = [];
  const listening = createServer((socket) => {
    let isGreeted = false;
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      if (!isGreeted) {
        if (part.readInt32BE(4) === sslRequestCode) return void socket.write('N');
        isGreeted = true;
        return void socket.write(greeting);
      }
      if (part[0] === 0x51) statement(part.subarray(5, -1).toString(), socket);
    });
  });
  server = listening;
  await new Promise<void>((bound) => listening.listen(0, '127.0.0.1', bound));
  return { port: (listening.address() as AddressInfo).port, received: () => Buffer.concat(parts) };
}

async function open(port: number, password: KnowledgeStoreSettings['password']): Promise<PostgresPool> {
  pool = await openPostgres({
    host: '127.0.0.1', port, database: 'd', user: 'u', schema: 's', password, caFile: null,
  });
  return pool;
}

describe('a database that hangs up within a transaction', () => {
  const uncaught: unknown[] = [];
  const note = (failure: unknown): void => void uncaught.push(failure);

  test.each([
    ['between two statements', 'BEGIN; SELECT 1'],
    ['while a statement runs', 'SELECT 2'],
    ['instead of the answer to COMMIT', 'COMMIT'],
  ])('%s: the ask is refused, the process lives, and the next one is served', async (_, last) => {
    let isAway = false;
    const { port } = await serve({
      greeting: Buffer.concat([authenticationOk, ready]),
      statement: (text, socket) => {
        if (isAway || text !== last) return void socket.write(done);
        isAway = true;
        if (last.startsWith('BEGIN')) socket.end(done);
        else socket.destroy();
      },
    });
    const store = await open(port, null);
    process.on('uncaughtException', note);
    try {
      await expect(store.transaction('SELECT 1', async (client) => {
        // Not `once` of node:events, which would listen to errors itself.
        if (last.startsWith('BEGIN')) await new Promise<void>((ended) => client.once('end', () => ended()));
        await client.query('SELECT 2');
      })).rejects.toMatchObject({ code: 'KNOWLEDGE_UNAVAILABLE' });
    } finally {
      process.off('uncaughtException', note);
    }
    expect(uncaught).toEqual([]);
    expect(await store.transaction('SELECT 1', async () => 'served')).toBe('served');
  });
});

describe('whoever has the port of the database on loopback', () => {
  test('is not told the password, whatever it asks for', async () => {
    const secret = 'a very secret password';
    process.env['MASO_TEST_POOL_PASSWORD'] = secret;
    const { port, received } = await serve({
      greeting: authenticationCleartext, statement: () => undefined,
    });
    const store = await open(port, { kind: 'env', name: 'MASO_TEST_POOL_PASSWORD' });
    await expect(store.rows('SELECT 1')).rejects.toMatchObject({ code: 'KNOWLEDGE_UNAVAILABLE' });
    expect(received().length).toBeGreaterThan(0);
    expect(received().includes(secret)).toBe(false);
  });
});
