// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WebSocket } from 'ws';
import { loadCredential } from '../../../src/adapters/credential-keys.ts';
import { readMeshOrThrow } from '../../../src/adapters/mesh-files.ts';
import { clientTlsOptions } from '../../../src/adapters/tls-options.ts';
import type { Credential } from '../../../src/identity/credential.ts';
import { signCompactJws } from '../../../src/identity/jws.ts';
import { envelopeHeader } from '../../../src/identity/envelope-header.ts';
import { canonicalize } from '../../../src/message/canonical-json.ts';
import type { EnvelopeBody } from '../../../src/message/envelope.ts';
import { meshFile } from './mesh-process.ts';

/**
 * A program without a sidecar that speaks to the bus under a stolen identity: it has read another
 * agent's key from disk, which takes the sidecar's uid or root.
 */
export type Rogue = {
  readonly credential: Credential;
  /** Sends these very bytes and tells what the bus did. */
  readonly publish: (body: EnvelopeBody, envelope: string) => Promise<BusAnswer>;
};

export type BusAnswer = { readonly code: string | null; readonly dropped: boolean };

const attemptsMax = 5;
const answerTimeoutMs = 5_000;
/** The bus refuses first and drops then. */
const dropGraceMs = 250;

export async function rogueAs(agent: string, state: string): Promise<Rogue> {
  const directory = join(state, 'sidecars', agent);
  const credential = await loadCredential(join(directory, 'credential.pem'));
  if (credential === null) throw new Error(`There is no key of ${agent} to steal.`);
  const membership: unknown = JSON.parse(readFileSync(join(directory, 'membership.json'), 'utf8'));
  // With the key alone the node would know it for a copy; whoever reads the key reads this too.
  const runs: readonly string[] = JSON.parse(readFileSync(join(directory, 'runs.json'), 'utf8'));
  const digest = readMeshOrThrow(meshFile).digest;
  return {
    credential,
    publish: async (body, envelope) => {
      // The real sidecar takes its place on the bus back at once, so one attempt may be too short.
      for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
        const answer = await speak(credential, membership, digest, runs, body, envelope);
        if (answer !== null) return answer;
      }
      throw new Error('The bus gave no answer.');
    },
  };
}

/** Signs any body, also one that names somebody else: a sidecar's own code would refuse to. */
export function forge(body: EnvelopeBody, credential: Credential): string {
  const header = Buffer.from(envelopeHeader(credential.thumbprint)).toString('base64url');
  return signCompactJws(header, canonicalize(body), credential.privateKey);
}

/** A message as its recipient keeps it. Signed again with the same key it is the same bytes. */
export function receivedBody(state: string, agent: string, message: string): EnvelopeBody {
  const file = join(state, 'sidecars', agent, 'sidecar.sqlite');
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database.prepare('SELECT message FROM inbox_message WHERE id = ?').get(message);
    const stored: { readonly body: EnvelopeBody } = JSON.parse(String(row?.['message']));
    return stored.body;
  } finally {
    database.close();
  }
}

/** Null when the connection ended without an answer to the publication. */
function speak(
  credential: Credential,
  membership: unknown,
  meshDigest: string,
  runs: readonly string[],
  body: EnvelopeBody,
  envelope: string,
): Promise<BusAnswer | null> {
  const { busHost, busPort, bundlePem, nodeSpiffeId } = membershipOf(membership);
  const socket = new WebSocket(`wss://${busHost}:${busPort}/bus`, {
    ...clientTlsOptions(credential, bundlePem, nodeSpiffeId),
    perMessageDeflate: false,
  });
  const send = (frame: object): void => socket.send(JSON.stringify(frame));
  return new Promise((resolve) => {
    let code: string | null | undefined;
    const timer = setTimeout(() => socket.terminate(), answerTimeoutMs);
    socket.on('open', () =>
      send({ kind: 'hello', meshDigest, policyVersion: 0, isolation: 'none', runs, nonce: 'A'.repeat(22) }));
    socket.on('message', (data: Buffer) => {
      const frame: Answer = JSON.parse(data.toString());
      if (frame.kind === 'welcome') {
        const entry = entryFor(body, credential);
        const policyVersion = frame.policyVersion ?? 0;
        send({ kind: 'publish', number: 1, policyVersion, envelope, entry, resend: false });
      } else if (frame.kind === 'accepted' || frame.kind === 'refused') {
        code = frame.code ?? null;
        setTimeout(() => socket.close(1000), dropGraceMs);
      }
    });
    // Followed by close, which tells the outcome.
    socket.on('error', () => socket.terminate());
    socket.on('close', (_status, reason) => {
      clearTimeout(timer);
      resolve(code === undefined ? null : { code, dropped: reason.toString() === code });
    });
  });
}

function entryFor(body: EnvelopeBody, { spiffeId }: Credential): object {
  const [, , , , agent = ''] = spiffeId.split('/');
  return {
    kind: 'message.outbound',
    id: `${body.id}.outbound`,
    at: body.issuedAt,
    actor: `agent:${agent}`,
    task: body.task,
    message: body.id,
    causedBy: [],
    outcome: 'GO',
    code: null,
    verdicts: [],
    tookUs: null,
    detail: {},
  };
}

type Answer = {
  readonly kind: string;
  readonly code?: string;
  readonly policyVersion?: number;
};

type Membership = {
  readonly busHost: string;
  readonly busPort: number;
  readonly bundlePem: string;
  readonly nodeSpiffeId: string;
};

/** The file is the sidecar's own, so its shape is known. */
function membershipOf(stored: unknown): Membership {
  return stored as Membership;
}
