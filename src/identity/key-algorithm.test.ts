// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { compactVerify, CompactSign } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { SpireAuthority, type KeyKind } from '../../test/mesh-harness/spire-authority.ts';
import type { WrittenSvid } from '../../test/mesh-harness/svid-files.ts';
import { readFileSync } from 'node:fs';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { credentialFromPem } from './credential-pem.ts';
import { envelopeHeader } from './envelope-header.ts';
import { signCompactJws, splitCompactJws, verifyCompactJws } from './jws.ts';
import { algorithmOf, isSoundKey, lowered, signatureAlgorithms } from './key-algorithm.ts';
import type { SignatureAlgorithm } from './key-algorithm.ts';
import { createPeerVerifier, peerFromCertificate, readTrustBundle } from './peer.ts';
import { signEnvelope } from './sign-envelope.ts';
import { readSvidFiles } from './svid-files.ts';
import { verifyEnvelope } from './verify-envelope.ts';

const trustDomain = 'example.test';
const accepted: readonly (readonly [KeyKind, SignatureAlgorithm])[] = [
  ['ed25519', 'EdDSA'], ['ec-p256', 'ES256'], ['ec-p384', 'ES384'],
  ['rsa-2048', 'PS256'], ['rsa-4096', 'PS256'],
];
const refused: readonly KeyKind[] = ['ec-p521', 'rsa-1024', 'rsa-exponent-3'];
const limits = { bytesMax: 65_536, depthMax: 16 };
const svids = new Map<KeyKind, WrittenSvid>();
const path = 'agent/triage/i-1';
const vectors = new URL('../../test/vectors/signed-valid.json', import.meta.url);
const [sample] = JSON.parse(readFileSync(vectors, 'utf8')).vectors;
let authority: SpireAuthority;
let body: EnvelopeBody;

beforeAll(async () => {
  authority = await SpireAuthority.found(trustDomain);
  const kinds = [...accepted.map(([kind]) => kind), ...refused];
  await Promise.all(kinds.map(async (kind) => svids.set(kind, await authority.issue(path, kind))));
  body = { ...JSON.parse(sample.canonical), instance: `spiffe://${trustDomain}/${path}` };
});

function svidOf(kind: KeyKind): WrittenSvid {
  const found = svids.get(kind);
  if (found === undefined) throw new Error(kind);
  return found;
}

function party(kind: KeyKind) {
  const { svid, key, bundle } = svidOf(kind);
  const credential = credentialFromPem(svid, key);
  const verdict = peerFromCertificate(
    Buffer.from(svid.replaceAll(/-----.*?-----|\s/g, ''), 'base64'),
    readTrustBundle(bundle, trustDomain), Date.now(),
  );
  if (!verdict.ok) throw new Error(verdict.code);
  return { credential, peer: verdict.peer };
}

function judged(jws: string, kind: KeyKind): string | null {
  const result = verifyEnvelope(jws, () => party(kind).peer, limits);
  return result.ok ? null : result.code;
}

function headed(algorithm: string, kind: KeyKind): string {
  const header = envelopeHeader(party(kind).credential.thumbprint);
  return Buffer.from(header.replace('EdDSA', algorithm)).toString('base64url');
}

/** Whoever holds a key writes whatever header he likes over it. */
function signedUnder(algorithm: string, kind: KeyKind): string {
  const { credential } = party(kind);
  return signCompactJws(headed(algorithm, kind), canonicalize(body), credential.privateKey);
}

describe('keys of SVIDs', () => {
  it('are refused where they are weak, too large, of another curve or for another use', () => {
    const others: readonly KeyObject[] = [
      generateKeyPairSync('rsa', { modulusLength: 4_104 }).publicKey,
      generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).publicKey,
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey,
      generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).publicKey,
      generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey,
      generateKeyPairSync('x25519').publicKey,
      generateKeyPairSync('ed448').publicKey,
      generateKeyPairSync('dsa', { modulusLength: 2_048, divisorLength: 256 }).publicKey,
    ].filter((key) => algorithmOf(key) !== null);
    // A key of 4104 bits is over the bound; explicit parameters are those of P-256 and named so.
    expect(others.map((key) => key.asymmetricKeyType)).toEqual(['ec']);
    expect(isSoundKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toBe(false);
    expect(isSoundKey(generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey)).toBe(false);
  });

  it.each(refused)('make no peer and no identity: %s', (kind) => {
    const { svid, key, bundle } = svidOf(kind);
    const verifier = createPeerVerifier(readTrustBundle(bundle, trustDomain), { nowMs: Date.now });
    expect(verifier.verifyPem(svid)).toEqual({ ok: false, code: 'IDENTITY_CERTIFICATE_USAGE' });
    const holder = {
      trustDomain, kind: 'agent', name: 'triage', spiffeId: null, lifetimes: () => 600_000,
    } as const;
    const reading = readSvidFiles({ chainPem: svid, keyPem: key, bundlePem: bundle }, holder, Date.now());
    expect(reading).toEqual({ ok: false, code: 'IDENTITY_KEY_UNSUPPORTED' });
    expect(() => credentialFromPem(svid, key)).toThrow(
      expect.objectContaining({ code: 'IDENTITY_CREDENTIAL_CORRUPT' }),
    );
  });

  it.each(accepted)('make an identity out of files: %s', (kind) => {
    const { svid, key, bundle } = svidOf(kind);
    const holder = {
      trustDomain, kind: 'agent', name: 'triage', spiffeId: null, lifetimes: () => 600_000,
    } as const;
    const reading = readSvidFiles({ chainPem: svid, keyPem: key, bundlePem: bundle }, holder, Date.now());
    expect(reading.ok).toBe(true);
  });
});

describe('an authority', () => {
  it('is not believed over SHA-1, nor with a weak key', async () => {
    const old = await authority.issue(path, 'ec-p256', 'SHA-1');
    const verifier = createPeerVerifier(
      readTrustBundle(authority.bundlePem, trustDomain), { nowMs: Date.now },
    );
    expect(verifier.verifyPem(old.svid)).toEqual({ ok: false, code: 'IDENTITY_CERTIFICATE_UNTRUSTED' });
    for (const kind of ['rsa-1024', 'rsa-exponent-3'] as const) {
      const weak = await SpireAuthority.found(trustDomain, kind);
      expect(() => readTrustBundle(weak.bundlePem, trustDomain)).toThrow(
        expect.objectContaining({ code: 'IDENTITY_BUNDLE_INVALID' }),
      );
    }
  });

  it.each(['ec-p384', 'ec-p521', 'rsa-2048', 'rsa-4096', 'ed25519'] as const)(
    'of %s is believed', async (kind) => {
      const other = await SpireAuthority.found(trustDomain, kind);
      const { svid } = await other.issue(path, 'ec-p256');
      const bundle = readTrustBundle(other.bundlePem, trustDomain);
      expect(createPeerVerifier(bundle, { nowMs: Date.now }).verifyPem(svid).ok).toBe(true);
    },
  );
});

describe('envelopes signed with other keys', () => {
  it('are refused under every algorithm that is not the one of their key', () => {
    for (const [kind, own] of accepted) {
      for (const named of signatureAlgorithms) {
        const code = judged(signedUnder(named, kind), kind);
        expect([kind, named, code]).toEqual([kind, named, named === own ? null : 'IDENTITY_HEADER_REFUSED']);
      }
      for (const named of ['none ', 'HS256', 'RS256', 'RS384', 'PS384', 'ES512', 'Ed255']) {
        expect(judged(signedUnder(named, kind), kind)).toBe('IDENTITY_HEADER_REFUSED');
      }
    }
  });

  it('are refused with the signature of another kind of key, whatever the header says', () => {
    for (const [signer] of accepted) {
      for (const [named, algorithm] of accepted) {
        if (signer === named) continue;
        const { privateKey } = party(signer).credential;
        const forged = signCompactJws(headed(algorithm, named), canonicalize(body), privateKey);
        expect([signer, named, judged(forged, named)])
          .toEqual([signer, named, 'IDENTITY_SIGNATURE_INVALID']);
      }
    }
  });

  it.each(['ec-p256', 'ec-p384'] as const)('have one signature, not two: %s', (kind) => {
    const n = kind === 'ec-p256'
      ? 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
      : BigInt('0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973');
    const algorithm = kind === 'ec-p256' ? 'ES256' : 'ES384';
    for (let round = 0; round < 20; round += 1) {
      const good = signEnvelope(body, party(kind).credential);
      expect(judged(good, kind)).toBeNull();
      const signature = splitCompactJws(good)?.signature ?? Buffer.alloc(0);
      const bytes = signature.length / 2;
      const s = BigInt(`0x${signature.subarray(bytes).toString('hex')}`);
      const other = Buffer.concat([
        signature.subarray(0, bytes), Buffer.from((n - s).toString(16).padStart(bytes * 2, '0'), 'hex'),
      ]);
      const twin = `${good.slice(0, good.lastIndexOf('.'))}.${other.toString('base64url')}`;
      expect(judged(twin, kind)).toBe('IDENTITY_SIGNATURE_INVALID');
      expect(lowered(other, algorithm).equals(signature)).toBe(true);
    }
  });

  it('are refused in other forms: as DER, with another salt or padding, cut, and of zeros', () => {
    const input = (kind: KeyKind, algorithm: string): string =>
      `${headed(algorithm, kind)}.${Buffer.from(canonicalize(body)).toString('base64url')}`;
    const codeOf = (kind: KeyKind, algorithm: string, signature: Buffer): string | null =>
      judged(`${input(kind, algorithm)}.${signature.toString('base64url')}`, kind);
    const keyOf = (kind: KeyKind): KeyObject => createPrivateKey(svidOf(kind).key);
    const p256 = Buffer.from(input('ec-p256', 'ES256'));
    expect(codeOf('ec-p256', 'ES256', sign('sha256', p256, keyOf('ec-p256'))))
      .toBe('IDENTITY_ENVELOPE_MALFORMED');
    for (const bytes of [64, 96, 256, 512]) {
      expect(codeOf('ec-p256', 'ES256', Buffer.alloc(bytes))).toBe('IDENTITY_SIGNATURE_INVALID');
      expect(codeOf('rsa-2048', 'PS256', Buffer.alloc(bytes))).toBe('IDENTITY_SIGNATURE_INVALID');
    }
    const rsa = Buffer.from(input('rsa-2048', 'PS256'));
    const key = keyOf('rsa-2048');
    expect(codeOf('rsa-2048', 'PS256', sign('sha256', rsa, key))).toBe('IDENTITY_SIGNATURE_INVALID');
    const salted = sign('sha256', rsa, { key, padding: 6, saltLength: 20 });
    expect(codeOf('rsa-2048', 'PS256', salted)).toBe('IDENTITY_SIGNATURE_INVALID');
    const hashed = sign('sha512', rsa, { key, padding: 6, saltLength: 32 });
    expect(codeOf('rsa-2048', 'PS256', hashed)).toBe('IDENTITY_SIGNATURE_INVALID');
    expect(codeOf('rsa-2048', 'PS256', Buffer.alloc(513))).toBe('IDENTITY_ENVELOPE_MALFORMED');
  });

  it.each(accepted)('agree with another JOSE library: %s as %s', async (kind, algorithm) => {
    const { credential, peer } = party(kind);
    const { protectedHeader } = await compactVerify(signEnvelope(body, credential), peer.publicKey);
    expect(protectedHeader.alg).toBe(algorithm);
    // Its ECDSA signatures are as often the higher ones, which are written lower on their way.
    const parts = splitCompactJws(
      await new CompactSign(Buffer.from('x')).setProtectedHeader({ alg: algorithm }).sign(credential.privateKey),
    );
    if (parts === null) throw new Error('No JWS.');
    const signature = algorithm === 'EdDSA' ? parts.signature : lowered(parts.signature, algorithm);
    expect(verifyCompactJws({ ...parts, signature }, algorithm, createPublicKey(credential.privateKey))).toBe(true);
  });
});
