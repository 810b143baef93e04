// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, TlsOptions, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authorityHash } from '../identity/certificate.ts';
import type { Authority, Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import type { PeerVerdict } from '../identity/peer.ts';
import { openBuiltinAuthority } from './authority-builtin.ts';
import { newKey } from './credential-keys.ts';
import { openKeyFileKms } from './kms-encrypted-file.ts';
import { systemRandom } from './random-system.ts';
import {
  clientTlsOptions,
  enrolServerTlsOptions,
  enrolTlsOptions,
  peerOfSocket,
  serverTlsOptions,
} from './tls-options.ts';

const trustDomain = 'maso.local';
const nodeId = `spiffe://${trustDomain}/node/bus`;
const agentId = `spiffe://${trustDomain}/agent/triage/i-1`;
const clock = { nowMs: () => Date.now() };
const servers: Server[] = [];
let directory = '';
let authority: Authority;
let impostor: Authority;
let node: Credential;
let triage: Credential;
let bundle = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maso-tls-'));
  authority = await openAuthority('one');
  impostor = await openAuthority('two');
  bundle = authority.bundlePem();
  node = await credentialOf(authority, nodeId);
  triage = await credentialOf(authority, agentId);
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

afterAll(() => rm(directory, { recursive: true }));

async function openAuthority(name: string): Promise<Authority> {
  const kms = await openKeyFileKms(join(directory, `${name}.kms`), systemRandom);
  const path = join(directory, name);
  return openBuiltinAuthority({ directory: path, trustDomain, kms, clock, random: systemRandom });
}

async function credentialOf(issuer: Authority, spiffeId: string): Promise<Credential> {
  const { csrPem, privateKey } = await newKey();
  const { chainPem } = await issuer.issue({ csrPem, spiffeId, lifetimeMs: 60_000 });
  return credentialFromPem(chainPem, privateKey);
}

/** Serves one greeting to whoever gets through the handshake, and reports who that was. */
async function serve(options: TlsOptions, verifierBundle = bundle) {
  const verifier = createPeerVerifier(readTrustBundle(verifierBundle, trustDomain), clock);
  const peers: PeerVerdict[] = [];
  const server = createServer(options, (socket) => {
    socket.on('error', () => socket.destroy());
    peers.push(peerOfSocket(socket, verifier));
    socket.end('hello');
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const port = await listen(server);
  return { peers, port, verifier };
}

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address: string | AddressInfo | null = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

type Answer = { readonly said: string; readonly code: unknown; readonly protocol: string | null };

/** In TLS 1.3 a refused client learns it on its first read, so the answer is what counts. */
function ask(port: number, options: ConnectionOptions): Promise<Answer> {
  return new Promise((resolve) => {
    let said = '';
    let code: unknown = null;
    let protocol: string | null = null;
    const socket: TLSSocket = connect({ ...options, port, host: '127.0.0.1' }, () => {
      protocol = socket.getProtocol();
    });
    socket.on('data', (data) => {
      said += data.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    socket.on('close', () => resolve({ said, code, protocol }));
  });
}

describe('a mesh server', () => {
  it('refuses a client without a certificate', async () => {
    const { port, peers } = await serve(serverTlsOptions(node, bundle));
    const { said, code } = await ask(port, { ca: bundle, checkServerIdentity: () => undefined });
    expect(said).toBe('');
    expect(code).not.toBeNull();
    expect(peers).toEqual([]);
  });

  it('refuses a client of another authority', async () => {
    const { port, peers } = await serve(serverTlsOptions(node, bundle));
    const stranger = await credentialOf(impostor, agentId);
    const { said } = await ask(port, clientTlsOptions(stranger, bundle, nodeId));
    expect(said).toBe('');
    expect(peers).toEqual([]);
  });

  it('refuses TLS 1.2', async () => {
    const { port, peers } = await serve(serverTlsOptions(node, bundle));
    const options = clientTlsOptions(triage, bundle, nodeId);
    const older = { ...options, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    const { said, code } = await ask(port, older);
    expect(said).toBe('');
    expect(code).not.toBeNull();
    expect(peers).toEqual([]);
  });

  it('refuses a client that shows the certificate of another without its key', async () => {
    const thief = { ...triage, privateKey: (await newKey()).privateKey };
    const { port } = await serve(serverTlsOptions(node, bundle));
    expect(() => connect({ ...clientTlsOptions(thief, bundle, nodeId), port })).toThrow();
  });

  it('knows its peer by SPIFFE id', async () => {
    const { port, peers } = await serve(serverTlsOptions(node, bundle));
    const { said, protocol } = await ask(port, clientTlsOptions(triage, bundle, nodeId));
    expect(said).toBe('hello');
    expect(protocol).toBe('TLSv1.3');
    expect(peers).toMatchObject([{ ok: true, peer: { spiffeId: agentId, kind: 'agent' } }]);
  });

  it('resumes no session, so that no session outlives its certificate', async () => {
    const { port } = await serve(serverTlsOptions(node, bundle));
    const sessions: Buffer[] = [];
    const host = '127.0.0.1';
    const socket = connect({ ...clientTlsOptions(triage, bundle, nodeId), port, host });
    socket.on('session', (session) => sessions.push(session)).resume();
    await new Promise((done) => socket.on('close', done));
    const again = await new Promise<boolean>((done) => {
      const options = clientTlsOptions(triage, bundle, nodeId);
      const session = sessions[0] === undefined ? {} : { session: sessions[0] };
      const second = connect({ ...options, ...session, port, host: '127.0.0.1' }, () => {
        done(second.isSessionReused());
        second.destroy();
      });
    });
    expect(again).toBe(false);
  });

  it('does not believe a socket that TLS let through without authorising it', async () => {
    const lax = { ...serverTlsOptions(node, bundle), rejectUnauthorized: false };
    const both = `${bundle}${impostor.bundlePem()}`;
    const { port, peers } = await serve(lax, both);
    const stranger = await credentialOf(impostor, agentId);
    await ask(port, clientTlsOptions(stranger, bundle, nodeId));
    await ask(port, { ca: bundle, checkServerIdentity: () => undefined });
    expect(peers).toEqual([
      { ok: false, code: 'IDENTITY_CERTIFICATE_UNTRUSTED' },
      { ok: false, code: 'IDENTITY_CERTIFICATE_ABSENT' },
    ]);
  });
});

describe('a mesh client', () => {
  it('refuses a server that is not the expected node', async () => {
    const { port, peers } = await serve(serverTlsOptions(node, bundle));
    const other = `spiffe://${trustDomain}/node/other`;
    const { said, code } = await ask(port, clientTlsOptions(triage, bundle, other));
    expect(said).toBe('');
    expect(code).toBe('IDENTITY_PEER_UNEXPECTED');
    expect(peers.length).toBeLessThanOrEqual(1);
  });

  it('refuses an agent that answers in the place of the node', async () => {
    const { port } = await serve(serverTlsOptions(triage, bundle));
    const { code } = await ask(port, clientTlsOptions(triage, bundle, nodeId));
    expect(code).toBe('IDENTITY_PEER_UNEXPECTED');
  });

  it('refuses a server of another authority with the same names', async () => {
    const fake = await credentialOf(impostor, nodeId);
    const { port } = await serve(serverTlsOptions(fake, impostor.bundlePem()));
    const { said, code } = await ask(port, clientTlsOptions(triage, bundle, nodeId));
    expect(said).toBe('');
    expect(code).not.toBeNull();
  });
});

describe('enrolment', () => {
  const hash = (): string => authorityHash(bundle) ?? '';

  it('refuses a node whose authority is not the pinned one', async () => {
    const fake = await credentialOf(impostor, nodeId);
    const { port } = await serve(enrolServerTlsOptions(fake, impostor.bundlePem()));
    await expect(enrolTlsOptions({ host: '127.0.0.1', port }, hash(), 2_000)).rejects.toMatchObject(
      { code: 'IDENTITY_ENROLMENT_UNTRUSTED' },
    );
  });

  it('refuses an impostor that shows the pinned authority beside its own certificate', async () => {
    const fake = await credentialOf(impostor, nodeId);
    const { port } = await serve(enrolServerTlsOptions(fake, `${impostor.bundlePem()}${bundle}`));
    const pinned = enrolTlsOptions({ host: '127.0.0.1', port }, hash(), 2_000);
    const outcome = await pinned.then(
      (options) => ask(port, options),
      (error: unknown) => ({ said: '', code: error }),
    );
    expect(outcome.said).toBe('');
    expect(outcome.code).not.toBeNull();
  });

  it('refuses an agent that answers in the place of a node', async () => {
    const { port } = await serve(enrolServerTlsOptions(triage, bundle));
    const options = await enrolTlsOptions({ host: '127.0.0.1', port }, hash(), 2_000);
    expect(await ask(port, options)).toMatchObject({ said: '', code: 'IDENTITY_PEER_UNEXPECTED' });
  });

  it('refuses the hash of the leaf, which is no authority', async () => {
    const { port } = await serve(enrolServerTlsOptions(node, bundle));
    await expect(
      enrolTlsOptions({ host: '127.0.0.1', port }, node.thumbprint, 2_000),
    ).rejects.toMatchObject({ code: 'IDENTITY_ENROLMENT_UNTRUSTED' });
  });

  it('gives up on a server that never answers, and on one that is not there', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => socket.destroy()).resume());
    const port = await listen(silent);
    const code = 'IDENTITY_ENROLMENT_UNREACHABLE';
    await expect(enrolTlsOptions({ host: '127.0.0.1', port }, hash(), 50)).rejects.toMatchObject({
      code,
    });
    const nobody = { host: '127.0.0.1', port: 1 };
    await expect(enrolTlsOptions(nobody, hash(), 500)).rejects.toMatchObject({ code });
  });

  it('reaches the pinned node without a certificate of its own', async () => {
    const { port, peers } = await serve(enrolServerTlsOptions(node, bundle));
    const options = await enrolTlsOptions({ host: '127.0.0.1', port }, hash(), 2_000);
    expect(await ask(port, options)).toEqual({ said: 'hello', protocol: 'TLSv1.3', code: null });
    expect(peers.at(-1)).toEqual({ ok: false, code: 'IDENTITY_CERTIFICATE_ABSENT' });
  });
});
