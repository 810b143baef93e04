// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { credentialFromPem } from '../identity/credential-pem.ts';
import type { Credential } from '../identity/credential.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import { RevocationList } from '../identity/revocation.ts';
import type { JsonObject } from '../message/json.ts';
import type { MandateSigner } from './block.ts';
import type { MandateTerms, RequestRight } from './mandate.ts';
import { noLimits } from './mandate.ts';
import { peersOf, type MandateContext } from './verify.ts';

/** Keys, terms and a context for tests; the keys are those of `test/vectors/mandate-keys.json`. */
export const vectorKeys: {
  readonly nowMs: number;
  readonly trustDomain: string;
  readonly bundlePem: string;
  readonly keys: { readonly [name: string]: JsonObject };
  readonly certificates: { readonly [name: string]: string };
  readonly certificateKeys: { readonly [name: string]: string };
} = readVectors('mandate-keys.json');

export const nowMs = vectorKeys.nowMs;
export const task = '01K74F0Z00ZZZZZZZZZZZZZZZZ';
export const otherTask = '01K74F0Z00YYYYYYYYYYYYYYYY';
const bundle = readTrustBundle(vectorKeys.bundlePem, vectorKeys.trustDomain);
const credentials = new Map<string, Credential>();

export function readVectors(name: string) {
  return JSON.parse(readFileSync(new URL(`../../test/vectors/${name}`, import.meta.url), 'utf8'));
}

export function credentialOf(name: string): Credential {
  const known = credentials.get(name);
  if (known !== undefined) return known;
  const made = credentialFromPem(vectorKeys.certificates[name] ?? '', privateKeyOf(name));
  credentials.set(name, made);
  return made;
}

export function privateKeyOf(name: string) {
  const key = vectorKeys.keys[vectorKeys.certificateKeys[name] ?? name] ?? {};
  return createPrivateKey({ key: { ...key }, format: 'jwk' });
}

export function publicJwkOf(name: string): JsonObject {
  const { kty, crv, x } = createPublicKey(privateKeyOf(name)).export({ format: 'jwk' });
  return { kty: kty ?? '', crv: crv ?? '', x: x ?? '' };
}

export function operator(name: string): MandateSigner {
  return { kind: 'operator', name, privateKey: privateKeyOf(name) };
}

export function nhi(name: string): MandateSigner {
  return { kind: 'nhi', credential: credentialOf(name) };
}

export function spiffeIdOf(name: string): string {
  return credentialOf(name).spiffeId;
}

export const payInvoice: RequestRight = {
  right: 'request',
  executor: 'payments',
  action: 'pay_invoice',
  constraints: {
    payee: { oneOf: ['ACME', 'Globex'] },
    amount: { atMost: 500 },
  },
  limits: { ...noLimits, count: 3, totals: { amount: 900 } },
};

export const terms: MandateTerms = {
  audience: 'triage',
  task,
  sponsor: 'alice@example.org',
  rights: [payInvoice],
  notBefore: nowMs - 1_000,
  expiresAt: nowMs + 600_000,
  output: null,
  maxDepth: 2,
  approval: null,
  oispec: null,
};

/** Whoever verifies here has met nobody: certificates come with the chain. */
export function contextFor(
  holder: string,
  change: Partial<MandateContext> = {},
): MandateContext {
  const verifier = createPeerVerifier(bundle, { nowMs: () => change.nowMs ?? nowMs });
  return {
    peerByThumbprint: peersOf(verifier),
    revocations: noRevocations,
    staleSnapshot: 'refuse',
    nowMs,
    clockSkewMs: 0,
    task,
    audience: { name: holder, spiffeId: spiffeIdOf(holder) },
    rootAuthority: {
      agents: new Set(['desk']),
      nodes: new Set(['bus-1']),
      operatorKey: (name) => (name === 'alice' ? publicJwkOf('alice') : null),
    },
    delegateTerms: (agent) => (agent in vectorKeys.keys ? { oispec: null, hopsMax: 3 } : null),
    isDepthApproved: (reference, ofTask) => reference === 'approval-1' && ofTask === task,
    policyVersion: 'p1',
    cache: null,
    ...change,
  };
}

export const noRevocations: MandateContext['revocations'] = {
  version: 1,
  validUntilMs: nowMs + 3_600_000,
  identities: new RevocationList([], 1, nowMs),
  mandates: new Set(),
  tasks: new Set(),
};
