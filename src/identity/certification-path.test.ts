// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { KeyUsageFlags, ExtendedKeyUsage, ExtendedKeyUsageExtension, Extension } from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { SpireAuthority, type Intermediate } from '../../test/mesh-harness/spire-authority.ts';
import type { WrittenSvid } from '../../test/mesh-harness/svid-files.ts';
import { readCertificatesPem } from './certificate.ts';
import { createPeerVerifier, readTrustBundle } from './peer.ts';
import { createReplaceableVerifier } from './replaceable-verifier.ts';
import { readSvidFiles } from './svid-files.ts';

const trustDomain = 'maso.local';
const path = 'agent/triage/one';
const holder = {
  trustDomain, kind: 'agent', name: 'triage', spiffeId: null, lifetimes: () => 600_000,
} as const;
let root: SpireAuthority;

beforeAll(async () => {
  root = await SpireAuthority.found(trustDomain);
});

function codeOf({ svid, key, bundle }: WrittenSvid, nowMs = Date.now()): string | null {
  const reading = readSvidFiles({ chainPem: svid, keyPem: key, bundlePem: bundle }, holder, nowMs);
  const verifier = createPeerVerifier(readTrustBundle(bundle, trustDomain), { nowMs: () => nowMs });
  const verdict = verifier.verifyPem(svid);
  const code = verdict.ok ? null : verdict.code;
  // What its own sidecar takes is what others take.
  expect(reading.ok ? null : reading.code).toBe(code);
  return code;
}

const issuedBelow = async (change: Intermediate): Promise<string | null> =>
  codeOf(await (await root.below(change)).issue(path, 'ec-p256'));

function blocksOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
}

describe('a chain up to the bundle', () => {
  it('is refused with an intermediate missing, out of order, or of another authority', async () => {
    const below = await (await root.below()).below();
    const given = await below.issue(path, 'ec-p256');
    const [leaf = '', near = '', far = ''] = blocksOf(given.svid);
    expect(codeOf(given)).toBeNull();
    for (const svid of [leaf, leaf + near, leaf + far, leaf + far + near]) {
      expect(codeOf({ ...given, svid })).toBe('IDENTITY_CERTIFICATE_UNTRUSTED');
    }
    const stranger = await (await SpireAuthority.found(trustDomain)).below();
    const forged = await stranger.issue(path, 'ec-p256');
    expect(codeOf({ ...forged, bundle: root.bundlePem })).toBe('IDENTITY_CERTIFICATE_UNTRUSTED');
    const mixed = blocksOf(forged.svid)[0] + near + far;
    expect(codeOf({ ...forged, svid: mixed, bundle: root.bundlePem })).toBe('IDENTITY_CERTIFICATE_UNTRUSTED');
  });

  it('is refused when one of it has expired or is not valid yet, leaf and root being valid', async () => {
    expect(await issuedBelow({ notAfterMs: -1_000 })).toBe('IDENTITY_CERTIFICATE_EXPIRED');
    const short = await (await root.below({ notAfterMs: 60_000 })).issue(path, 'ec-p256');
    expect(codeOf(short)).toBeNull();
    expect(codeOf(short, Date.now() + 61_000)).toBe('IDENTITY_CERTIFICATE_EXPIRED');
    expect(codeOf(short, Date.now() - 11_000)).toBe('IDENTITY_CERTIFICATE_NOT_YET_VALID');
  });

  it('ends, as an identity, with the first certificate of it', async () => {
    const { svid, key, bundle } = await (await root.below({ notAfterMs: 60_000 })).issue(path, 'ec-p256');
    const reading = readSvidFiles({ chainPem: svid, keyPem: key, bundlePem: bundle }, holder, Date.now());
    if (!reading.ok) throw new Error(reading.code);
    expect(reading.credential.expiresAtMs).toBeLessThan(Date.now() + 61_000);
    let nowMs = Date.now();
    const verifier = createPeerVerifier(reading.bundle, { nowMs: () => nowMs });
    verifier.verifyPem(svid);
    expect(verifier.byThumbprint(reading.credential.thumbprint)).not.toBeNull();
    nowMs += 61_000;
    expect(verifier.byThumbprint(reading.credential.thumbprint)).toBeNull();
  });

  it('is refused over a certificate that may not sign others', async () => {
    const agent = `spiffe://${trustDomain}/agent/intern/one`;
    const { digitalSignature, cRLSign, keyCertSign } = KeyUsageFlags;
    const cases: readonly Intermediate[] = [
      { isAuthority: false },
      { isAuthority: false, usage: digitalSignature, names: [agent] },
      { isAuthority: false, usage: null, names: [agent] },
      { isAuthority: false, usage: keyCertSign, names: [agent] },
      { usage: digitalSignature },
      { usage: cRLSign },
      { usage: null },
      { kind: 'rsa-1024' },
      { kind: 'rsa-exponent-3' },
      { extra: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth])] },
      { extra: [new Extension('2.5.29.30', true, Buffer.from('3000', 'hex'))] },
      { extra: [new Extension('2.5.29.30', false, Buffer.from('3000', 'hex'))] },
      { extra: [new Extension('1.2.3.4', true, Buffer.from('0500', 'hex'))] },
    ];
    for (const change of cases) {
      expect([change, await issuedBelow(change)]).toEqual([change, 'IDENTITY_ISSUER_REFUSED']);
    }
    const both = [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
    expect(await issuedBelow({ extra: [new ExtendedKeyUsageExtension(both)] })).toBeNull();
    expect(await issuedBelow({ extra: [new Extension('1.2.3.4', false, Buffer.from('0500', 'hex'))] })).toBeNull();
  });

  it('is refused where the authority of another trust domain stands in it, or one without a name signs', async () => {
    const own = `spiffe://${trustDomain}`;
    expect(await issuedBelow({ names: ['spiffe://other.test'] })).toBe('IDENTITY_TRUST_DOMAIN_FOREIGN');
    for (const names of [
      [], [own, 'spiffe://other.test'], [`${own}/agent/triage/one`], [`${own}/`], ['https://maso.local'],
      [`${own},URI:${own}`], ['SPIFFE://maso.local'],
    ]) {
      expect([names, await issuedBelow({ names })]).toEqual([names, 'IDENTITY_ISSUER_REFUSED']);
    }
    const company = await root.below({ names: [] });
    expect(codeOf(await (await company.below()).issue(path, 'ec-p256'))).toBeNull();
    const foreign = await (await root.below({ names: ['spiffe://other.test'] })).below();
    expect(codeOf(await foreign.issue(path, 'ec-p256'))).toBe('IDENTITY_TRUST_DOMAIN_FOREIGN');
  });

  it('is refused over the path length that one of it grants', async () => {
    const last = await root.below({ pathLength: 0 });
    expect(codeOf(await last.issue(path, 'ec-p256'))).toBeNull();
    const over = await (await last.below()).issue(path, 'ec-p256');
    expect(codeOf(over)).toBe('IDENTITY_PATH_LENGTH_EXCEEDED');
    const one = await root.below({ pathLength: 1 });
    const two = await one.below();
    expect(codeOf(await two.issue(path, 'ec-p256'))).toBeNull();
    expect(codeOf(await (await two.below()).issue(path, 'ec-p256'))).toBe('IDENTITY_PATH_LENGTH_EXCEEDED');
    // An authority that is in the bundle itself is held to its own certificate, too.
    expect(codeOf({ ...over, bundle: last.certificatePem })).toBe('IDENTITY_PATH_LENGTH_EXCEEDED');
  });

  it('is refused when it is too long', async () => {
    let issuer = root;
    for (const expected of [null, null, null, 'IDENTITY_CHAIN_TOO_LONG']) {
      issuer = await issuer.below();
      expect(codeOf(await issuer.issue(path, 'ec-p256'))).toBe(expected);
    }
  });

  it('ends at the first authority of the bundle, and carries nothing beyond it', async () => {
    const near = await root.below();
    const { svid, key } = await near.issue(path, 'ec-p256');
    const bundlePem = near.certificatePem + root.bundlePem;
    expect(codeOf({ svid, key, bundle: near.certificatePem })).toBeNull();
    const reading = readSvidFiles({ chainPem: svid + root.bundlePem, keyPem: key, bundlePem }, holder, Date.now());
    expect(reading.ok && readCertificatesPem(reading.credential.chainPem)?.length).toBe(1);
    const chainPem = svid + root.bundlePem;
    const whole = readSvidFiles({ chainPem, keyPem: key, bundlePem: root.bundlePem }, holder, Date.now());
    expect(whole.ok && readCertificatesPem(whole.credential.chainPem)?.length).toBe(2);
  });

  it('is followed with authorities of every kind of key', async () => {
    for (const kind of ['ec-p384', 'ec-p521', 'rsa-2048', 'rsa-4096', 'ed25519'] as const) {
      expect(await issuedBelow({ kind })).toBeNull();
    }
  });

  it('stays known when the bundle is replaced by one that vouches for it, and only then', async () => {
    const { svid } = await (await root.below()).issue(path, 'ec-p256');
    const clock = { nowMs: Date.now };
    const verifier = createReplaceableVerifier(readTrustBundle(root.bundlePem, trustDomain), clock);
    const verdict = verifier.verifyPem(svid);
    if (!verdict.ok) throw new Error(verdict.code);
    const other = await SpireAuthority.found(trustDomain);
    verifier.replace(readTrustBundle(other.bundlePem + root.bundlePem, trustDomain));
    expect(verifier.byThumbprint(verdict.peer.thumbprint)).not.toBeNull();
    verifier.replace(readTrustBundle(other.bundlePem, trustDomain));
    expect(verifier.byThumbprint(verdict.peer.thumbprint)).toBeNull();
  });
});

describe('an SVID', () => {
  it('is refused when its key may certify, or may not sign', async () => {
    const { svid, key, bundle } = await root.issue(path, 'ec-p256');
    expect(codeOf({ svid, key, bundle })).toBeNull();
    for (const usage of ['certifies', 'agrees'] as const) {
      expect(codeOf(await root.issue(path, 'ec-p256', undefined, usage))).toBe('IDENTITY_CERTIFICATE_USAGE');
    }
  });
});
