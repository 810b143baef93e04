// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';
import { credentialFromPem } from '../src/identity/credential-pem.ts';
import type { Credential } from '../src/identity/credential.ts';
import { nodeSpiffeId, agentSpiffeId } from '../src/identity/spiffe-id.ts';

/** Keys and certificates of the mandate vectors. Test-only: nothing may ever trust them. */
export const folder = new URL('../test/vectors/', import.meta.url);
export const nowMs = 1_760_000_000_000;
export const trustDomain = 'vectors.maso.local';
export const hourMs = 3_600_000;
const agents = ['desk', 'triage', 'planner', 'payments', 'ledger', 'stranger'];
const ed25519 = { name: 'Ed25519' };

type Keys = { readonly [name: string]: webcrypto.JsonWebKey };

export const keys = keyFile();
const root = await authority('root');
const impostor = await authority('impostor');

export const bundlePem = root.certificate.toString('pem');

/** One certificate of every agent, and more that differ in name, life or authority. */
export const certificates: { readonly [name: string]: string } = {
  ...Object.fromEntries(
    await Promise.all(agents.map(async (name) => [name, await leafOf(name)] as const)),
  ),
  node: await leaf(nodeSpiffeId(trustDomain, 'bus-1'), 'node', root, hourMs),
  nodeTriage: await leaf(nodeSpiffeId(trustDomain, 'triage'), 'node', root, hourMs),
  triageSecond: await leaf(agentSpiffeId(trustDomain, 'triage', 'i-2'), 'second', root, hourMs),
  triageExpired: await leaf(agentSpiffeId(trustDomain, 'triage', 'i-1'), 'triage', root, -1_000),
  triageShort: await leaf(agentSpiffeId(trustDomain, 'triage', 'i-1'), 'triage', root, 60_000),
  deskImpostor: await leaf(agentSpiffeId(trustDomain, 'desk', 'i-1'), 'desk', impostor, hourMs),
};

const keyOf: { readonly [certificate: string]: string } = {
  nodeTriage: 'node',
  triageSecond: 'second',
  triageExpired: 'triage',
  triageShort: 'triage',
  deskImpostor: 'desk',
};

export function credential(name: string): Credential {
  const key = jwkOf(keyOf[name] ?? name);
  const privateKey = createPrivateKey({ key: { ...key }, format: 'jwk' });
  return credentialFromPem(certificates[name] ?? '', privateKey);
}

export function jwkOf(name: string): webcrypto.JsonWebKey {
  const jwk = keys[name];
  if (jwk === undefined) throw new Error(`no key ${name}`);
  return jwk;
}

function keyFile(): Keys {
  const path = new URL('mandate-keys.json', folder);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')).keys;
  const names = [...agents, 'root', 'impostor', 'node', 'second', 'alice', 'mallory'];
  return Object.fromEntries(names.map((name) =>
    [name, generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] as const));
}

type Issuer = { readonly pair: CryptoPair; readonly certificate: x509.X509Certificate };
type CryptoPair = {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
};

async function pairOf(name: string): Promise<CryptoPair> {
  const { d: _d, key_ops: _ops, ...publicJwk } = jwkOf(name);
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey('jwk', jwkOf(name), ed25519, true, ['sign']),
    publicKey: await subtle.importKey('jwk', publicJwk, ed25519, true, ['verify']),
  };
}

async function authority(name: string): Promise<Issuer> {
  const pair = await pairOf(name);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=vectors authority',
      notBefore: new Date(nowMs - hourMs),
      notAfter: new Date(nowMs + 2 * hourMs),
      signingAlgorithm: ed25519,
      keys: pair,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  return { pair, certificate };
}

function leafOf(name: string): Promise<string> {
  return leaf(agentSpiffeId(trustDomain, name, 'i-1'), name, root, hourMs);
}

async function leaf(id: string, key: string, issuer: Issuer, lifeMs: number): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: '10',
      issuer: 'CN=vectors authority',
      notBefore: new Date(nowMs - 30_000),
      notAfter: new Date(nowMs + lifeMs),
      signingKey: issuer.pair.privateKey,
      publicKey: (await pairOf(key)).publicKey,
      signingAlgorithm: ed25519,
      extensions: [
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: id }], true),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
      ],
    },
    webcrypto,
  );
  return certificate.toString('pem');
}
