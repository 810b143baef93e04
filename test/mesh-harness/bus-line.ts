// SPDX-License-Identifier: Apache-2.0
import type { ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { askEnrolment } from '../../src/adapters/control-http.ts';
import { newKey } from '../../src/adapters/credential-keys.ts';
import { intermediateHeaders } from '../../src/adapters/presented-chain.ts';
import { clientTlsOptions } from '../../src/adapters/tls-options.ts';
import type { Credential } from '../../src/identity/credential.ts';
import { credentialFromPem } from '../../src/identity/credential-pem.ts';
import { envelopeHeader } from '../../src/identity/envelope-header.ts';
import { signCompactJws } from '../../src/identity/jws.ts';
import { canonicalize } from '../../src/message/canonical-json.ts';
import type { EnvelopeBody } from '../../src/message/envelope.ts';
import { mintNonce, mintUlid } from '../../src/message/identifiers.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';

const clock = systemClock();

/** Somebody who holds a genuine identity and speaks to the bus without a sidecar. */
export type Intruder = {
  readonly credential: Credential;
  readonly bundlePem: string;
  readonly port: number;
  readonly nodeSpiffeId: string;
};

export async function enrolIntruder(joinToken: string): Promise<Intruder> {
  const key = await newKey();
  const answer = await askEnrolment(joinToken, key.csrPem);
  return {
    credential: credentialFromPem(answer.chainPem, key.privateKey),
    bundlePem: answer.bundlePem,
    port: answer.busPort,
    nodeSpiffeId: answer.nodeSpiffeId,
  };
}

export type Ended = { readonly status: number; readonly reason: string };

/** A raw line to the bus; every frame is sent as it is given. */
export class BusLine {
  readonly frames: JsonObject[] = [];
  readonly ended: Promise<Ended>;
  readonly #socket: WebSocket;
  #number = 0;

  /** Rejects when the node does not take the connection. */
  static open(
    options: ConnectionOptions,
    port: number,
    pongs: 'answers pings' | 'answers no ping' = 'answers pings',
  ): Promise<BusLine> {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/bus`, {
      ...options,
      autoPong: pongs === 'answers pings',
      perMessageDeflate: false,
      maxPayload: 16 * 1024 * 1024,
    });
    const line = new BusLine(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(line));
      socket.once('error', reject);
    });
  }

  static async hello(
    intruder: Intruder,
    meshDigest: string,
    pongs?: 'answers no ping',
  ): Promise<BusLine> {
    const { credential, bundlePem, nodeSpiffeId, port } = intruder;
    const options = {
      ...clientTlsOptions(credential, bundlePem, nodeSpiffeId),
      headers: intermediateHeaders(credential),
    };
    const line = await BusLine.open(options, port, pongs);
    line.send({ kind: 'hello', meshDigest, policyVersion: 0, isolation: 'uid', runs: ['01K74F0Z00ABCDEFGHJKMNPQRS'], nonce: 'A'.repeat(22) });
    await line.next((frame) => frame['kind'] === 'welcome');
    return line;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString('utf8')) as JsonObject);
    });
    socket.on('error', () => {
      // Followed by close, which tells how it ended.
    });
    this.ended = new Promise((resolve) =>
      socket.once('close', (status, reason) => resolve({ status, reason: reason.toString() })),
    );
  }

  send(frame: JsonObject): void {
    this.#socket.send(JSON.stringify(frame));
  }

  raw(bytes: string | Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** The node's answer to one publication. */
  async publish(
    envelope: string, entry: EntryDraft, resend = false, policyVersion = 1,
  ): Promise<JsonObject> {
    const number = ++this.#number;
    this.send(
      { 
        kind: 'publish', number, policyVersion, envelope, resend,
        entry: { ...entry } as unknown as JsonObject,
      }
    );
    return this.next((frame) => frame['number'] === number && frame['kind'] !== 'deliver');
  }

  async next(matches: (frame: JsonObject) => boolean, timeoutMs = 5_000): Promise<JsonObject> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const found = this.frames.find(matches);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error('The node did not answer.');
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** A genuine body of this identity; an attack changes one thing of it. */
export function bodyOf(credential: Credential, change: Partial<EnvelopeBody>): EnvelopeBody {
  const now = clock.nowMs();
  const name = credential.spiffeId.split('/')[4] ?? '';
  return {
    v: 1,
    id: mintUlid(clock, systemRandom),
    type: 'data',
    schema: 'note/1',
    from: name,
    instance: credential.spiffeId,
    to: 'planner',
    domain: 'work',
    task: mintUlid(clock, systemRandom),
    hop: 1,
    causes: { digest: 'A'.repeat(43), count: 0 },
    inReplyTo: null,
    label: { classification: 'internal', integrity: 'internal', origins: [`agent:${name}`] },
    sources: {},
    provenance: { source: 'agent', isolation: 'uid' },
    epistemic: null,
    metadata: {},
    issuedAt: now,
    expiresAt: now + 15_000,
    nonce: mintNonce(systemRandom),
    mandate: null,
    principals: [],
    goalHash: null,
    payload: { text: 'hello' },
    ...change,
  };
}

export function entryOf(body: EnvelopeBody, change: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: 'message.outbound',
    id: `${body.id}.outbound`,
    at: body.issuedAt,
    actor: `agent:${body.from}`,
    task: body.task,
    message: body.id,
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts: [],
    tookUs: 0,
    detail: {},
    ...change,
  };
}

/** Signs a body whatever it says. */
export function forge(
  intruder: Pick<Intruder, 'credential'>,
  change: Partial<EnvelopeBody>,
): { readonly body: EnvelopeBody; readonly envelope: string; readonly entry: EntryDraft } {
  const body = bodyOf(intruder.credential, change);
  const { thumbprint, privateKey } = intruder.credential;
  const header = Buffer.from(envelopeHeader(thumbprint), 'latin1').toString('base64url');
  const envelope = signCompactJws(header, canonicalize(body), privateKey);
  return { body, envelope, entry: entryOf(body) };
}
