// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { compactVerify, CompactSign, importJWK, importX509 } from 'jose';
import { describe, expect, it } from 'vitest';
import { credentialFromPem } from './credential-pem.ts';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { createPeerVerifier, readTrustBundle } from './peer.ts';
import { signEnvelope } from './sign-envelope.ts';
import { verifyEnvelope } from './verify-envelope.ts';

type Failing = {
  readonly name: string;
  readonly certificate: string;
  readonly code: string;
  readonly envelope: string;
};
type Valid = {
  readonly name: string;
  readonly certificate: string;
  readonly envelope: string;
  readonly canonical: string;
};

const keys = read('signed-keys.json');
const valid: { readonly vectors: readonly Valid[] } = read('signed-valid.json');
const mustFail: { readonly vectors: readonly Failing[] } = read('signed-must-fail.json');
const bundle = readTrustBundle(keys.certificates.root, keys.trustDomain);

function read(name: string) {
  return JSON.parse(readFileSync(new URL(`../../test/vectors/${name}`, import.meta.url), 'utf8'));
}

/** What a node does: verify the certificate, then the envelope against it. */
function judge(envelope: string, certificate: string) {
  const verifier = createPeerVerifier(bundle, { nowMs: () => keys.nowMs });
  const verdict = verifier.verifyPem(keys.certificates[certificate]);
  if (!verdict.ok) return verdict;
  return verifyEnvelope(envelope, verifier.byThumbprint, keys.limits);
}

describe('signed vectors', () => {
  it('are at least 25 that must fail', () => {
    expect(mustFail.vectors.length).toBeGreaterThanOrEqual(25);
  });

  it.each(mustFail.vectors)('refuses $name', ({ envelope, certificate, code }) => {
    const verdict = judge(envelope, certificate);
    expect(verdict.ok ? 'accepted' : verdict.code).toBe(code);
  });

  it.each(valid.vectors)('accepts $name', ({ envelope, certificate, canonical }) => {
    const verified = judge(envelope, certificate);
    expect(verified.ok && 'body' in verified && verified.body).toEqual(JSON.parse(canonical));
  });
});

describe('agreement with jose', () => {
  const chainPem: string = keys.certificates.triage;

  it.each(valid.vectors)('verifies $name by the certificate alone', async (vector) => {
    const { envelope, canonical, certificate } = vector;
    const key = createPublicKey(keys.certificates[certificate]);
    const [jws = '', item] = envelope.split('~');
    const { payload, protectedHeader } = await compactVerify(jws, key);
    expect(Buffer.from(payload).toString('utf8')).toBe(canonical);
    const named = item === undefined ? {} : { item: createHash('sha256').update(item).digest('base64url') };
    expect(protectedHeader).toEqual({
      alg: expect.any(String), typ: 'maso-envelope+jws', 'x5t#S256': expect.any(String), ...named,
    });
  });

  it('accepts an envelope that jose signed, and signs it the same itself', async () => {
    const jwk = keys.keys.triage;
    const credential = credentialFromPem(chainPem, createPrivateKey({ key: jwk, format: 'jwk' }));
    // Other algorithms sign at random.
    const ed25519 = valid.vectors.filter(({ certificate }) => certificate === 'triage');
    for (const { canonical, envelope } of ed25519) {
      const [, item = null] = envelope.split('~');
      const named = item === null ? {} : { item: createHash('sha256').update(item).digest('base64url') };
      const jws = await new CompactSign(Buffer.from(canonical))
        .setProtectedHeader({
          alg: 'EdDSA',
          ...named,
          typ: 'maso-envelope+jws',
          'x5t#S256': credential.thumbprint,
        })
        .sign(await importJWK(jwk, 'EdDSA'));
      const signed = item === null ? jws : `${jws}~${item}`;
      expect(judge(signed, 'triage').ok).toBe(true);
      expect(signed).toBe(envelope);
      expect(signEnvelope(JSON.parse(canonical), credential, item)).toBe(envelope);
    }
  });

  it('agrees that a flipped bit does not verify', async () => {
    const key = await importX509(chainPem, 'EdDSA');
    const flipped = mustFail.vectors.filter(({ name }) => /^a flipped bit in the (?!item)/.test(name));
    expect(flipped.length).toBeGreaterThan(2);
    for (const { envelope } of flipped) {
      await expect(compactVerify(envelope, key)).rejects.toThrow();
    }
  });
});
