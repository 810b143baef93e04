// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import { SpireAuthority, type KeyKind } from '../../test/mesh-harness/spire-authority.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { lowered, signatureAlgorithms } from '../identity/key-algorithm.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import { RevocationList } from '../identity/revocation.ts';
import { mintUlid } from '../message/identifiers.ts';
import { blockSeparator, mandateId } from './block.ts';
import { contextFor, terms } from './mandate-fixture.ts';
import { issueMandate, narrow } from './narrow.ts';
import { peersOf, verifyMandate, type MandateContext } from './verify.ts';

const trustDomain = 'vectors.maso.local';
/** A little ahead: large keys take their time, and certificates begin when they are there. */
const nowMs = Date.now() + 60_000;
const clock = { nowMs: () => nowMs };
const task = mintUlid(clock, { bytes: (count) => Buffer.alloc(count, 7) });
const orders = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: BigInt(
    '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
};
let spire: SpireAuthority;
let desk: Credential;
let triage: Credential;

const credential = async (agent: string, kind: KeyKind): Promise<Credential> => {
  const { svid, key } = await spire.issue(`agent/${agent}/one`, kind);
  return credentialFromPem(svid, key);
};

beforeAll(async () => {
  spire = await SpireAuthority.found(trustDomain);
  desk = await credential('desk', 'ec-p256');
  triage = await credential('triage', 'ec-p384');
});

function context(name: string, change: Partial<MandateContext> = {}): MandateContext {
  const verifier = createPeerVerifier(readTrustBundle(spire.bundlePem, trustDomain), clock);
  const audience = { name, spiffeId: `spiffe://${trustDomain}/agent/${name}/one` };
  const revocations = {
    version: 1, validUntilMs: nowMs + 60_000, identities: new RevocationList([], 1, nowMs),
    mandates: new Set<string>(), tasks: new Set<string>(),
  };
  return {
    ...contextFor('triage'), peerByThumbprint: peersOf(verifier), nowMs, task, audience, revocations,
    ...change,
  };
}

function rootBy(by: Credential): string {
  const issued = issueMandate({
    ...terms, task, notBefore: nowMs - 1_000, expiresAt: nowMs + 300_000,
  }, { kind: 'nhi', credential: by });
  if (!issued.ok) throw new Error(issued.code);
  return issued.chain;
}

const codeOf = (chain: string, of: MandateContext): string | null => {
  const verdict = verifyMandate(chain, of);
  return verdict.ok ? null : verdict.code;
};

/** The chain with the header of its last block rewritten, signature and all else as it was. */
function reheaded(chain: string, algorithm: string): string {
  const blocks = chain.split(blockSeparator);
  const [header = '', ...rest] = blocks.pop()?.split('.') ?? [];
  const text = Buffer.from(header, 'base64url').toString().replace(/"alg":"[^"]+"/, `"alg":"${algorithm}"`);
  return [...blocks, [Buffer.from(text).toString('base64url'), ...rest].join('.')].join(blockSeparator);
}

describe('mandates signed below an intermediate', () => {
  it('carry it, and are refused without it, with another, or with a broken one', async () => {
    const below = await spire.below();
    const { svid, key } = await below.issue('agent/desk/one', 'ec-p256');
    const [leaf = '', above = ''] = svid.split(/(?<=END CERTIFICATE-----\n)/);
    const other = (await spire.below()).certificatePem;
    const signedWith = (chainPem: string): string => rootBy(credentialFromPem(chainPem, key));
    expect(codeOf(signedWith(leaf + above), context('triage'))).toBeNull();
    for (const chainPem of [leaf, leaf + other, leaf + other + above]) {
      expect(codeOf(signedWith(chainPem), context('triage'))).toBe('MANDATE_SIGNER_UNKNOWN');
    }
    const expired = await spire.below({ notAfterMs: 30_000 });
    const late = await expired.issue('agent/desk/one', 'ec-p256');
    const chain = rootBy(credentialFromPem(late.svid, late.key));
    expect(codeOf(chain, context('triage'))).toBe('MANDATE_SIGNER_UNKNOWN');
  });
});

describe('mandates signed with keys of other kinds', () => {
  it.each(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096', 'ed25519'] as const)(
    'are issued and narrowed offline: %s', async (kind) => {
      const by = await credential('desk', kind);
      const chain = rootBy(by);
      expect(codeOf(chain, context('triage'))).toBeNull();
      const passed = narrow(chain, { audience: 'planner', oispec: null }, await credential('triage', kind));
      expect(passed.ok && codeOf(passed.chain, context('planner'))).toBeNull();
    },
  );

  it('are refused under any other algorithm', () => {
    const chain = rootBy(desk);
    for (const named of signatureAlgorithms) {
      if (named === 'ES256') continue;
      expect(codeOf(reheaded(chain, named), context('triage'))).toBe('MANDATE_HEADER_REFUSED');
    }
    for (const named of ['none ', 'HS256', 'RS256']) {
      expect(codeOf(reheaded(chain, named), context('triage'))).toBe('MANDATE_HEADER_REFUSED');
    }
  });

  it('have one id: revoked, or used up, none returns with the other signature of its block', () => {
    for (const [by, algorithm] of [[desk, 'ES256'], [triage, 'ES384']] as const) {
      const holder = by === desk ? 'triage' : 'planner';
      const first = rootBy(desk);
      const passed = narrow(first, { audience: 'planner', oispec: null }, triage);
      const chain = by === desk ? first : passed.ok ? passed.chain : '';
      const mandates = new Set([mandateId(chain)]);
      const { revocations } = context(holder);
      const of = context(holder, { revocations: { ...revocations, mandates } });
      expect(codeOf(chain, of)).toBe('MANDATE_REVOKED');
      const at = chain.lastIndexOf('.') + 1;
      const signature = Buffer.from(chain.slice(at), 'base64url');
      const half = signature.length / 2;
      const s = orders[algorithm] - BigInt(`0x${signature.subarray(half).toString('hex')}`);
      const other = Buffer.concat([
        signature.subarray(0, half), Buffer.from(s.toString(16).padStart(half * 2, '0'), 'hex'),
      ]);
      const twin = chain.slice(0, at) + other.toString('base64url');
      expect(mandateId(twin)).not.toBe(mandateId(chain));
      expect(codeOf(twin, of)).toBe('MANDATE_SIGNATURE_INVALID');
      expect(lowered(other, algorithm).equals(signature)).toBe(true);
    }
  });

  it.each([
    ['the largest keys', 'rsa-4096', 0],
    ['keys below an intermediate', 'ec-p256', 1],
    ['keys below three of them', 'ec-p256', 3],
  ] as const)('fit their bound with three hops of %s', async (_name, kind, height) => {
    let issuer = spire;
    for (let below = 0; below < height; below += 1) issuer = await issuer.below();
    const [root, second, third] = await Promise.all(['desk', 'triage', 'planner'].map(async (agent) => {
      const { svid, key } = await issuer.issue(`agent/${agent}/one`, kind);
      return credentialFromPem(svid, key);
    }));
    if (root === undefined || second === undefined || third === undefined) throw new Error('keys');
    const issued = issueMandate({
      ...terms, task, notBefore: nowMs - 1_000, expiresAt: nowMs + 300_000, maxDepth: 3,
      approval: 'approval-1',
    }, { kind: 'nhi', credential: root });
    const one = issued.ok ? narrow(issued.chain, { audience: 'planner', oispec: null }, second) : issued;
    const two = one.ok ? narrow(one.chain, { audience: 'ledger', oispec: null }, third) : one;
    const isDepthApproved = (): boolean => true;
    expect(two.ok && codeOf(two.chain, context('ledger', { isDepthApproved }))).toBeNull();
  });
});
