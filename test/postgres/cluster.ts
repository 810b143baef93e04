// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type QueryResultRow } from 'pg';
import type { KnowledgeStoreSettings } from '../../src/mesh/knowledge-settings.ts';
import { serverIdentity } from '../export-standins/certificates.ts';

/** Where Debian puts the programs of a version, newest first; null where there is none. */
function programs(): { readonly bin: string; readonly version: string } | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : [];
  const version = versions.find((one) => existsSync(join(root, one, 'bin', 'initdb')));
  return version === undefined ? null : { bin: join(root, version, 'bin'), version };
}

const found = programs();
const nobody = 65_534;

/** Why tests of Postgres are left out, for their name; empty where they run. */
export const withoutPostgres = found === null ? ' (left out: Postgres is not installed)' : '';
/** Debian 12 has no package of pgvector. */
export const hasVector = found !== null &&
  existsSync(`/usr/share/postgresql/${found.version}/extension/vector.control`);

/**
 * What the store uses of pgvector, by the same names over an array type: so that everything else about it is
 * tried on a real server where pgvector is not installed.
 */
const standIn = `
  CREATE DOMAIN vector AS real[];
  CREATE FUNCTION negative_inner_product(real[], real[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS
    'SELECT -sum(a::double precision * b) FROM unnest($1, $2) AS pair (a, b)';
  CREATE OPERATOR <#> (LEFTARG = real[], RIGHTARG = real[], FUNCTION = negative_inner_product);
`;

export type Cluster = {
  /** Over the unix socket, and over TLS on loopback. */
  readonly socket: KnowledgeStoreSettings;
  readonly tls: KnowledgeStoreSettings;
  readonly password: string;
  /** A connection of its own, as somebody beside the node has it. */
  readonly connect: () => Promise<Client>;
  readonly query: (sql: string) => Promise<readonly QueryResultRow[]>;
  /** As a server that crashes and stays away. */
  readonly stop: () => Promise<void>;
  /** The same server, after it was stopped. */
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A cluster of its own in a temporary folder, as a user without rights, on a socket and on loopback. */
export async function startCluster(): Promise<Cluster> {
  if (found === null) throw new Error('Postgres is not installed.');
  const folder = mkdtempSync(join(tmpdir(), 'maso-pg-'));
  const password = 'a password of a test';
  const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const user: SpawnOptions = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const own = (path: string): void => (user.uid === undefined ? undefined : chownSync(path, nobody, nobody));
  for (const path of [folder, passwordFile]) own(path);
  const run = (program: string, args: readonly string[]): void => {
    const ended = spawnSync(join(found.bin, program), args, { ...user, encoding: 'utf8', cwd: folder });
    if (ended.status !== 0) throw new Error(`${program}: ${ended.stderr}`);
  };
  run('initdb', ['-D', data, '-U', 'maso', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--no-sync']);
  const identity = await serverIdentity({ names: ['localhost'] });
  for (const [name, text] of [['server.key', identity.key], ['server.crt', identity.cert]] as const) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    own(join(data, name));
  }
  const port = await freePort();
  writeFileSync(join(data, 'postgresql.auto.conf'), `
    listen_addresses = '127.0.0.1'
    port = ${port}
    unix_socket_directories = '${folder}'
    ssl = on
    fsync = off
    shared_buffers = '16MB'
  `);
  chmodSync(folder, 0o755);
  // The password's file belongs to whoever runs the tests: the store refuses any other's.
  chownSync(passwordFile, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  const common = { port, database: 'postgres', user: 'maso', schema: 'maso', password: { kind: 'file', path: passwordFile } } as const;
  const socket = { ...common, host: folder, caFile: null };
  const start = async (): Promise<ChildProcess> => {
    const server = spawn(join(found.bin, 'postgres'), ['-D', data], { ...user, stdio: 'ignore', cwd: folder });
    for (let tries = 0; tries < 600; tries += 1) {
      if (readable(join(data, 'postmaster.pid')).includes('ready')) return server;
      if (server.exitCode !== null) throw new Error('Postgres did not start.');
      await pause(50);
    }
    throw new Error('Postgres is not ready.');
  };
  const stop = async (server: ChildProcess): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGQUIT');
    await ended;
  };
  let server = await start();
  const connect = async (): Promise<Client> => {
    const client = new Client({ host: folder, port, database: 'postgres', user: 'maso', password });
    await client.connect();
    return client;
  };
  const query = async (sql: string): Promise<readonly QueryResultRow[]> => {
    const client = await connect();
    const result = await client.query(sql).finally(() => client.end());
    return result.rows;
  };
  if (!hasVector) await query(standIn);
  return {
    socket,
    tls: { ...common, host: 'localhost', caFile: identity.caFile },
    password,
    connect,
    query,
    stop: () => stop(server),
    start: async () => {
      server = await start();
    },
    close: async () => {
      if (server.exitCode === null && server.signalCode === null) await stop(server);
      rmSync(folder, { recursive: true });
    },
  };
}

function readable(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
