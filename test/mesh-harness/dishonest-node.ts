// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { openBuiltinAuthority } from '../../src/adapters/authority-builtin.ts';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { openKeyFileKms } from '../../src/adapters/kms-encrypted-file.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { peerOfSocket, serverTlsOptions } from '../../src/adapters/tls-options.ts';
import { createPeerVerifier, readTrustBundle } from '../../src/identity/peer.ts';
import type { Credential, PeerIdentity } from '../../src/identity/credential.ts';
import { signLease } from '../../src/identity/lease-statement.ts';
import type { JsonObject, JsonValue } from '../../src/message/json.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import { issueNodeCredential } from '../../src/process/node-identity.ts';
import { until, type MeshFolder } from './running-mesh.ts';

/**
 * A node whose operator is dishonest: it has the disk, so it has the authority and the node's
 * identity. It takes every publication, records nothing, and delivers what the test wants.
 */
export class DishonestNode {
  readonly published: { readonly from: string; readonly envelope: string }[] = [];
  readonly holds: JsonObject[] = [];
  readonly delivered: JsonObject[] = [];
  readonly records: JsonObject[] = [];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #lines = new Map<string, WebSocket>();
  readonly #folder: MeshFolder;
  readonly #credential: Credential;
  #number = 0;

  static async start(folder: MeshFolder, mesh: Mesh, port: number): Promise<DishonestNode> {
    const clock = systemClock();
    const node = join(folder.state, 'node');
    const authority = await openBuiltinAuthority({
      directory: join(node, 'authority'),
      trustDomain: mesh.trustDomain,
      kms: await openKeyFileKms(join(node, 'kms.key'), systemRandom),
      clock,
      random: systemRandom,
    });
    const bundlePem = authority.bundlePem();
    const verifier = createPeerVerifier(readTrustBundle(bundlePem, mesh.trustDomain), clock);
    const credential = await issueNodeCredential(authority, mesh);
    const server = createServer(serverTlsOptions(credential, bundlePem));
    const dishonest = new DishonestNode(server, folder, credential);
    server.on('upgrade', (request, socket, head) => {
      const verdict = peerOfSocket(request.socket as TLSSocket, verifier);
      if (!verdict.ok) return void socket.destroy();
      dishonest.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        dishonest.#attach(verdict.peer, webSocket, mesh),
      );
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
    return dishonest;
  }

  private constructor(server: Server, folder: MeshFolder, credential: Credential) {
    this.#credential = credential;
    this.#server = server;
    this.#folder = folder;
    this.#sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  }

  isConnected(agent: string): boolean {
    return this.#lines.has(agent);
  }

  /** Hands an envelope to an agent, whoever it was for. */
  deliver(agent: string, envelope: string, sender: string): void {
    const file = readFileSync(
      join(this.#folder.state, 'sidecars', sender, 'credential.pem'), 'utf8'
    );
    const chain = file.slice(file.indexOf('-----BEGIN CERTIFICATE-----'));
    this.#send(agent, { kind: 'deliver', number: ++this.#number, envelope, chain });
  }

  decided(agent: string, frame: JsonObject): void {
    this.#send(agent, { kind: 'decided', ...frame });
  }

  /** The body of the newest publication of an agent that has this schema. */
  bodyOf(envelope: string): JsonObject {
    const [, payload = ''] = envelope.split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JsonObject;
  }

  publicationOf(agent: string, schema: string, after = 0): Promise<string> {
    return until(`a publication of ${agent}`, () =>
      this.published.slice(after).find((one) =>
        one.from === agent && this.bodyOf(one.envelope)['schema'] === schema)?.envelope);
  }

  /** It gives leases as an honest node does: they are not what holds it back. */
  #lease(number: JsonValue, nonce: JsonValue, holder: string, mesh: Mesh): JsonObject {
    const signed = signLease({
      boot: 'boot', holder, nonce: String(nonce), meshDigest: mesh.digest, policyVersion: 1,
      revocationVersion: 0, paceVersion: Number.MAX_SAFE_INTEGER, privileged: true, consent: null, durationMs: 5_000,
      clamp: { phase: 'PRIMARY', allows: 'all', draining: false },
    }, this.#credential);
    return { kind: 'lease', number, signed, chain: this.#credential.chainPem, accounts: 0 };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #send(agent: string, frame: JsonObject): void {
    this.#lines.get(agent)?.send(JSON.stringify(frame));
  }

  #attach({ name: agent, spiffeId }: PeerIdentity, webSocket: WebSocket, mesh: Mesh): void {
    this.#lines.set(agent, webSocket);
    webSocket.on('close', () => this.#lines.delete(agent));
    webSocket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as JsonObject;
      const { number = 0, nonce = '' } = frame;
      switch (frame['kind']) {
        case 'hello':
          this.#send(agent, this.#lease(0, nonce, spiffeId, mesh));
          return this.#send(agent, {
            kind: 'welcome', boot: 'boot', meshDigest: mesh.digest, policyVersion: 1,
            operators: [],
          });
        case 'lease':
          return this.#send(agent, this.#lease(number, nonce, spiffeId, mesh));
        case 'publish':
          this.published.push({ from: agent, envelope: String(frame['envelope']) });
          return this.#send(agent, { kind: 'accepted', number });
        case 'record':
          this.records.push(...(frame['entries'] as readonly JsonObject[]));
          return this.#send(agent, { kind: 'recorded', number, code: null });
        case 'delivered':
          this.delivered.push(...(frame['entries'] as readonly JsonObject[]));
          return undefined;
        case 'allot':
          return this.#send(agent, {
            kind: 'allotted', number, answer: { outcome: 'granted', probe: false },
          });
        case 'settle':
          return this.#send(agent, { kind: 'settled', number, code: null });
        case 'hold':
          this.holds.push(frame['hold'] as JsonObject);
          return this.#send(agent, { kind: 'held', number, approval: `approval-${number}` });
        default:
          return undefined;
      }
    });
  }
}

