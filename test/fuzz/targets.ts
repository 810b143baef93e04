// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PeerIdentity } from '../../src/identity/credential.ts';
import { verifyEnvelope } from '../../src/identity/verify-envelope.ts';
import { parseActionOutcome, parseActionRequest } from '../../src/message/action-request-parse.ts';
import { canonicalize } from '../../src/message/canonical-json.ts';
import { messageCodes } from '../../src/message/codes.ts';
import { parseEnvelopeBody } from '../../src/message/envelope-parse.ts';
import type { JsonObject, JsonValue } from '../../src/message/json.ts';
import { parseStrictJson } from '../../src/message/strict-json.ts';
import { createScanner } from '../../src/scanner/scan.ts';
import { createSchemaRegistry } from '../../src/scanner/schema-registry.ts';
import { parseNodeFrame, parseSidecarFrame } from '../../src/wire/parse-frame.ts';

/** Takes bytes from outside. It throws only when the parser does what it never may. */
export type Target = {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  readonly run: (input: Buffer) => void;
};

const limits = { bytesMax: 65_536, depthMax: 32, membersMax: 20_000, keyLengthMax: 1024 };

const scanner = createScanner({
  schemas: createSchemaRegistry([]),
  limits: { depthMax: 32, membersMax: 20_000, stringLengthMax: 65_536, bytesMax: 65_536 },
  patterns: [],
  digestKey: Buffer.alloc(32, 1),
  nowUs: () => 0,
});

/** Everything that reads bytes from a peer before or right after authentication. */
export function targets(): readonly Target[] {
  const bodies = [...vectors('envelope-valid.json'), ...vectors('envelope-must-fail.json')]
    .map((vector) => Buffer.from(canonicalize(vector['body'] ?? null), 'utf8'));
  const envelopes = [...vectors('signed-valid.json'), ...vectors('signed-must-fail.json')]
    .map((vector) => Buffer.from(String(vector['envelope']), 'utf8'));
  return [
    { name: 'envelope body', seeds: bodies, run: runBody },
    { name: 'signed envelope', seeds: envelopes, run: runEnvelope },
    { name: 'signed body', seeds: bodies, run: runSignedBody },
    { name: 'frame', seeds: frameSeeds(envelopes), run: runFrame },
  ];
}

function runBody(input: Buffer): void {
  const result = parseStrictJson(input, limits);
  if (!result.ok) {
    expectThat(result.code in messageCodes, `unknown code ${result.code}`);
    expectThat(result.offset >= 0 && result.offset <= input.length, 'an offset outside the text');
    return;
  }
  const text = input.toString('utf8');
  const canonical = canonicalize(result.value);
  expectThat(canonical === canonicalize(JSON.parse(text)), 'the native parser reads otherwise');
  expectThat(result.canonical === (canonical === text), 'canonical is told wrongly');
  const again = parseStrictJson(canonical, { ...limits, bytesMax: 1_000_000 });
  expectThat(again.ok && again.canonical, 'the canonical form is not accepted');
  runParsed(result.value);
}

function runParsed(value: JsonValue): void {
  const parsed = parseEnvelopeBody(value);
  if (!parsed.ok) expectThat(parsed.code in messageCodes, `unknown code ${parsed.code}`);
  const payload = parsed.ok ? parsed.body.payload : value;
  for (const result of [parseActionRequest(payload), parseActionOutcome(payload)]) {
    if (!result.ok) expectThat(result.code in messageCodes, `unknown code ${result.code}`);
  }
  const input = { value, schemaId: null, type: null, channel: 'agent_message' } as const;
  const { outcome, findings } = scanner.scan(input);
  expectThat((outcome === 'GO') === (findings.length === 0), 'a verdict without its finding');
}

function runEnvelope(input: Buffer): void {
  const { peer } = signer();
  const jws = input.toString('latin1');
  const result = verifyEnvelope(jws, (name) => (name === peer.thumbprint ? peer : null), limits);
  if (result.ok) expectThat(valid.has(jws), 'a mutated envelope was believed');
}

/** Signs the mutated body: what an agent's own sidecar could send once it is taken over. */
function runSignedBody(input: Buffer): void {
  const { peer, header, privateKey } = signer();
  const signed = `${header}.${input.toString('base64url')}`;
  const jws = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  const result = verifyEnvelope(jws, (name) => (name === peer.thumbprint ? peer : null), limits);
  if (!result.ok) return;
  expectThat(canonicalize(JSON.parse(input.toString('utf8'))) === input.toString('utf8'), 'form');
  expectThat(result.body.instance === peer.spiffeId, 'another sender was believed');
}

function runFrame(input: Buffer): void {
  for (const result of [parseSidecarFrame(input), parseNodeFrame(input)]) {
    if (!result.ok) expectThat(/^(MESSAGE|BUS)_/.test(result.code), `unknown ${result.code}`);
  }
}

function expectThat(condition: boolean, failure: string): void {
  if (!condition) throw new Error(failure);
}

function readVectors(file: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8'));
}

function vectors(file: string): readonly JsonObject[] {
  const list = readVectors(file)['vectors'];
  return JSON.parse(JSON.stringify(list));
}

const valid = new Set(vectors('signed-valid.json').map((vector) => String(vector['envelope'])));

type Signer = {
  readonly peer: PeerIdentity;
  readonly header: string;
  readonly privateKey: ReturnType<typeof createPrivateKey>;
};

let known: Signer | null = null;

function signer(): Signer {
  known ??= readSigner();
  return known;
}

/** The identity that the signed vectors name; its key is published with them. */
function readSigner(): Signer {
  const [first = ''] = valid;
  const [header = '', payload = ''] = first.split('.');
  const body = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  const thumbprint = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))['x5t#S256'];
  const keys = JSON.parse(JSON.stringify(readVectors('signed-keys.json')['keys']));
  const privateKey = createPrivateKey({ key: keys.triage, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);
  const times = { notBeforeMs: 0, expiresAtMs: Number.MAX_SAFE_INTEGER };
  const who = { spiffeId: body.instance, kind: 'agent', name: body.from } as const;
  return { peer: { ...who, publicKey, thumbprint, ...times }, header, privateKey };
}

function frameSeeds(envelopes: readonly Buffer[]): readonly Buffer[] {
  const envelope = envelopes[0]?.toString('utf8') ?? '';
  const entry = {
    kind: 'message.outbound', id: 'm-1', at: 1, actor: 'agent:triage', task: null, message: null,
    causedBy: [], outcome: 'GO', code: null, tookUs: 3, detail: {},
    verdicts: [{ outcome: 'GO', control: 'scanner', version: '1', tookUs: 1, findings: [] }],
  };
  const hold = {
    message: 'm', task: 't', executor: 'e', requester: 'r', rootOrigin: 'o', action: 'a',
    risk: 'HIGH', reversibility: 'irreversible', parameters: { a: [1, 'x', null] },
    digest: 'A'.repeat(43), approvalsNeeded: 2, reasons: ['SCAN_SECRET'], expiresAt: 5,
  };
  const operators = [{ name: 'op', publicKey: { kty: 'OKP' } }];
  return [
    { kind: 'hello', meshDigest: 'd', policyVersion: 0, isolation: 'uid', runs: ['01K74F0Z00ABCDEFGHJKMNPQRS'], nonce: 'A'.repeat(22) },
    { kind: 'publish', number: 1, policyVersion: 1, envelope, entry, resend: false },
    { kind: 'delivered', number: 2, entries: [entry] },
    { kind: 'keep', number: 3, read: { call: 'c', task: 'T'.repeat(26), tool: 't', operation: 'o' }, first: 0, parts: 2, pieces: ['YQ==', 'Yg=='] },
    { kind: 'record', number: 3, privileged: true, policyVersion: 1, entries: [entry, entry] },
    { kind: 'lease', number: 6, policyVersion: 1, nonce: 'A'.repeat(22) },
    { kind: 'clamped', paceVersion: 2, busy: false, calls: [{ call: 'c', tool: 't', operation: 'o', write: true, end: 'told' }] },
    { kind: 'lease', number: 6, signed: 'a.b.c', chain: null, accounts: 3 },
    { kind: 'policy', version: 2, code: null },
    { kind: 'hold', number: 4, hold },
    { kind: 'renew', number: 5, csr: 'x' },
    { kind: 'welcome', boot: 'b', meshDigest: 'd', policyVersion: 1, operators },
    { kind: 'policy', version: 2, part: 0, parts: 1, text: '{}' },
    { kind: 'accepted', number: 1 },
    { kind: 'refused', number: 1, code: 'BUS_REPLAY' },
    { kind: 'deliver', number: 1, envelope, chain: null },
    { kind: 'decided', message: 'm', approval: 'p', outcome: 'denied', decisions: ['x'] },
  ].map((frame) => Buffer.from(JSON.stringify(frame), 'utf8'));
}
