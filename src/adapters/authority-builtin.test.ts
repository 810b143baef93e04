// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authorityHash, readCertificatesPem } from '../identity/certificate.ts';
import type { Authority, Kms } from '../identity/credential.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import { authoritySuite } from '../identity/authority.suite.ts';
import { openBuiltinAuthority } from './authority-builtin.ts';
import { newKey } from './credential-keys.ts';
import { openKeyFileKms } from './kms-encrypted-file.ts';
import { systemRandom } from './random-system.ts';

const trustDomain = 'maso.local';
const spiffeId = `spiffe://${trustDomain}/agent/triage/i-1`;
const nowMs = 1_760_000_000_500;
const clock = { nowMs: () => nowMs };
let directory = '';
let kms: Kms;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maso-authority-'));
  kms = await openKeyFileKms(join(directory, 'kms.key'), systemRandom);
});

afterEach(() => rm(directory, { recursive: true }));

function open(changes: object = {}): Promise<Authority> {
  const path = join(directory, 'authority');
  const options = { directory: path, trustDomain, kms, clock, random: systemRandom };
  return openBuiltinAuthority({ ...options, ...changes });
}

async function issue(authority: Authority, changes: object = {}) {
  const { csrPem } = await newKey();
  return authority.issue({ csrPem, spiffeId, lifetimeMs: 600_000, ...changes });
}

async function otherCsr(name: string, publicKeyAlgorithm: object): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256', ...publicKeyAlgorithm },
    true,
    ['sign', 'verify'],
  );
  if (!('privateKey' in keys)) throw new Error('no pair');
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const csr = await x509.Pkcs10CertificateRequestGenerator.create(
    { name, keys, signingAlgorithm },
    webcrypto,
  );
  return csr.toString('pem');
}

authoritySuite('the built-in authority', async () => ({
  authority: await open(),
  trustDomain,
  nowMs,
  csr: async () => (await newKey()).csrPem,
}));

describe('issuing', () => {
  it('refuses more than this identity may have', async () => {
    const lifetimes = (): number => 900_000;
    const authority = await open({ lifetimes });
    for (const lifetimeMs of [900_001, 3_600_000, Number.NaN]) {
      await expect(issue(authority, { lifetimeMs })).rejects.toMatchObject({
        code: 'IDENTITY_LIFETIME_REFUSED',
      });
    }
    expect((await issue(authority, { lifetimeMs: 900_000 })).expiresAtMs).toBeGreaterThan(nowMs);
    const generous = await open({ lifetimes: () => 7_200_000 });
    await expect(issue(generous, { lifetimeMs: 3_600_001 })).rejects.toMatchObject({
      code: 'IDENTITY_LIFETIME_REFUSED',
    });
  });

  it('refuses a request whose signature is of another key', async () => {
    const authority = await open();
    const { csrPem } = await newKey();
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    const der = Buffer.from(request.rawData);
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
    const at = der.indexOf(Buffer.from(request.publicKey.rawData).subarray(-32));
    Buffer.from(other, 'base64url').copy(der, at);
    const swapped = new x509.Pkcs10CertificateRequest(der).toString('pem');
    await expect(issue(authority, { csrPem: swapped })).rejects.toMatchObject({
      code: 'IDENTITY_CSR_REFUSED',
    });
  });

  it('refuses a key of small order, for which any signature would do', async () => {
    const authority = await open();
    const { csrPem } = await newKey();
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    const der = Buffer.from(request.rawData);
    const neutral = Buffer.from([1, ...new Uint8Array(31)]);
    neutral.copy(der, der.indexOf(Buffer.from(request.publicKey.rawData).subarray(-32)));
    Buffer.concat([neutral, new Uint8Array(32)]).copy(der, der.length - 64);
    const weak = new x509.Pkcs10CertificateRequest(der).toString('pem');
    await expect(issue(authority, { csrPem: weak })).rejects.toMatchObject({
      code: 'IDENTITY_CSR_REFUSED',
    });
  });

  it('refuses a key that is not Ed25519', async () => {
    const authority = await open();
    await expect(issue(authority, { csrPem: await otherCsr('CN=a', {}) })).rejects.toMatchObject({
      code: 'IDENTITY_CSR_REFUSED',
    });
  });

  it('gives an SVID that peers believe, for exactly the time asked for', async () => {
    const authority = await open();
    const issued = await issue(authority);
    const bundle = readTrustBundle(authority.bundlePem(), trustDomain);
    const verdict = createPeerVerifier(bundle, clock).verifyPem(issued.chainPem);
    expect(verdict).toMatchObject({
      ok: true,
      peer: { spiffeId, notBeforeMs: 1_759_999_970_000, expiresAtMs: 1_760_000_600_000 },
    });
    expect(issued.notBeforeMs).toBe(1_759_999_970_000);
    expect(issued.expiresAtMs).toBe(1_760_000_600_000);
  });

  it('takes the public key of the request and none of its names', async () => {
    const authority = await open();
    const { csrPem } = await newKey();
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    const { chainPem } = await issue(authority, { csrPem });
    const certificate = new X509Certificate(chainPem);
    const spki = certificate.publicKey.export({ format: 'der', type: 'spki' });
    expect(spki.equals(Buffer.from(request.publicKey.rawData))).toBe(true);
    expect(certificate.subject).toBeUndefined();
    expect(certificate.subjectAltName).toBe(`URI:${spiffeId}`);
    expect(certificate.ca).toBe(false);
  });

  it('never repeats a serial, and makes it positive', async () => {
    const authority = await open();
    const serials = await Promise.all(Array.from({ length: 20 }, () => issue(authority)));
    expect(new Set(serials.map(({ serial }) => serial)).size).toBe(20);
    for (const { serial } of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
    const random = { bytes: (count: number) => new Uint8Array(count).fill(255) };
    const ones = await open({ random });
    expect((await issue(ones)).serial).toBe(`7f${'ff'.repeat(15)}`);
  });
});

describe('the authority at rest', () => {
  const file = (): string => join(directory, 'authority', 'authority.json');

  it('is the same after a restart, and ten years long', async () => {
    const first = await open();
    const second = await open();
    expect(second.bundlePem()).toBe(first.bundlePem());
    const [root] = readCertificatesPem(first.bundlePem()) ?? [];
    const days = ((root?.validToDate.getTime() ?? 0) - nowMs) / 86_400_000;
    expect(Math.round(days)).toBe(3_650);
    const issued = await issue(second);
    const bundle = readTrustBundle(first.bundlePem(), trustDomain);
    expect(createPeerVerifier(bundle, clock).verifyPem(issued.chainPem).ok).toBe(true);
  });

  it('is founded once when two processes start together', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => open()));
    const hashes = opened.map((authority) => authorityHash(authority.bundlePem()));
    expect(new Set(hashes).size).toBe(1);
    expect(await readdir(join(directory, 'authority'))).toEqual(['authority.json']);
  });

  it('is readable by its owner only, and holds no plain key', async () => {
    await open();
    expect((await stat(join(directory, 'authority'))).mode & 0o777).toBe(0o700);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const text = await readFile(file(), 'utf8');
    expect(text).not.toContain('PRIVATE KEY');
    expect(text).not.toContain('MC4CAQAwBQYDK2Vw');
  });

  it.each([
    ['empty', () => ''],
    ['cut', (text: string) => text.slice(0, -20)],
    ['not JSON', () => 'x'],
    ['of another version', (text: string) => text.replace('"v": 1', '"v": 2')],
    ['without a certificate', (text: string) => text.replace('BEGIN CERT', 'BEGIN XERT')],
    ['with a changed key', (text: string) => text.replace(/"key": ".{60}/, (key) => `${key}A`)],
    ['with a key that is no base64', (text: string) => text.replace(/"key": "/, '"key": "@@')],
  ])('is refused, and not replaced, when its file is %s', async (_name, damage) => {
    await open();
    const damaged = damage(await readFile(file(), 'utf8'));
    await writeFile(file(), damaged);
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_AUTHORITY_CORRUPT' });
    expect(await readFile(file(), 'utf8')).toBe(damaged);
  });

  it('is refused when the key is that of another authority', async () => {
    await open();
    await open({ directory: join(directory, 'second') });
    const own = JSON.parse(await readFile(file(), 'utf8'));
    const other = JSON.parse(await readFile(join(directory, 'second', 'authority.json'), 'utf8'));
    await writeFile(file(), JSON.stringify({ ...own, key: other.key }));
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_AUTHORITY_CORRUPT' });
  });

  it('is refused under another KMS key or another trust domain', async () => {
    await open();
    const other = await openKeyFileKms(join(directory, 'other.key'), systemRandom);
    await expect(open({ kms: other })).rejects.toMatchObject({
      code: 'IDENTITY_AUTHORITY_CORRUPT',
    });
    await expect(open({ trustDomain: 'other.local' })).rejects.toMatchObject({
      code: 'IDENTITY_TRUST_DOMAIN_FOREIGN',
    });
  });

  it('is refused when others may read its file or enter its directory', async () => {
    await open();
    await chmod(file(), 0o640);
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_AUTHORITY_CORRUPT' });
    await chmod(file(), 0o600);
    await chmod(join(directory, 'authority'), 0o755);
    await expect(open()).rejects.toMatchObject({ code: 'IDENTITY_AUTHORITY_CORRUPT' });
  });

  it('is unavailable when a file stands in the place of its directory', async () => {
    await mkdir(join(directory, 'x'));
    await writeFile(join(directory, 'x', 'authority'), '');
    const path = join(directory, 'x', 'authority', 'deeper');
    await expect(open({ directory: path })).rejects.toMatchObject({
      code: 'IDENTITY_AUTHORITY_UNAVAILABLE',
    });
  });
});
