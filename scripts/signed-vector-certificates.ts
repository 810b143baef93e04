// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { Buffer } from 'node:buffer';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';

/** Keys and certificates of the signed vectors: one good set, and one of every bad kind. */
export const folder = new URL('../test/vectors/', import.meta.url);
export const nowMs = 1_760_000_000_000;
export const trustDomain = 'vectors.maso.local';
const hourMs = 3_600_000;
const ed25519 = { name: 'Ed25519' };
const keyNames = ['root', 'impostor', 'triage', 'payments', 'node'];
const ecCurves: ReadonlyMap<string, string> = new Map(
  ['p256', 'p384', 'p521'].map((name) => [name, name.replace('p', 'P-')]));

type Keys = { readonly [name: string]: webcrypto.JsonWebKey };
type Pair = { readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey };

function keyFile(): Keys {
  const path = new URL('signed-keys.json', folder);
  const kept: Keys = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).keys : {};
  const names = [...keyNames, ...ecCurves.keys(), 'rsa2048', 'rsa1024'];
  return Object.fromEntries(names.map((name) => [name, kept[name] ?? newKey(name)]));
}

function newKey(name: string): webcrypto.JsonWebKey {
  const curve = ecCurves.get(name);
  const { privateKey } = curve !== undefined
    ? generateKeyPairSync('ec', { namedCurve: curve })
    : name.startsWith('rsa')
      ? generateKeyPairSync('rsa', { modulusLength: Number(name.slice('rsa'.length)) })
      : generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'jwk' });
}

export const keys = keyFile();
const root = await pairOf('root');
const impostor = await pairOf('impostor');
const rootCertificate = await authority(root, '01');
const impostorCertificate = await authority(impostor, '02');
export const triageId = `spiffe://${trustDomain}/agent/triage/i-1`;

export const certificates: { [name: string]: string } = {
  root: rootCertificate.toString('pem'),
  impostorRoot: impostorCertificate.toString('pem'),
  triage: await leaf({ san: [triageId], key: 'triage' }),
  payments: await leaf({ san: [`spiffe://${trustDomain}/agent/payments/i-1`], key: 'payments' }),
  node: await leaf({ san: [`spiffe://${trustDomain}/node/triage`], key: 'node' }),
  triageOtherInstance: await leaf({
    san: [`spiffe://${trustDomain}/agent/triage/i-2`],
    key: 'triage',
  }),
  triageSwappedKey: await leaf({ san: [triageId], key: 'payments' }),
  expired: await leaf({ san: [triageId], key: 'triage', from: -2 * hourMs, to: -1_000 }),
  notYetValid: await leaf({ san: [triageId], key: 'triage', from: 60_000, to: hourMs }),
  foreignDomain: await leaf({ san: ['spiffe://other.local/agent/triage/i-1'], key: 'triage' }),
  impostorSigned: await leaf({ san: [triageId], key: 'triage', issuer: impostor }),
  selfSigned: await leaf({ san: [triageId], key: 'triage', issuer: await pairOf('triage') }),
  authorityLeaf: await leaf({ san: [triageId], key: 'triage', ca: true }),
  signingAuthorityLeaf: await leaf({ san: [triageId], key: 'triage', ca: true, certSign: true }),
  twoNames: await leaf({
    san: [triageId, `spiffe://${trustDomain}/agent/payments/i-1`],
    key: 'triage',
  }),
  twoNameExtensions: await leaf({ san: [triageId], key: 'triage', secondExtension: true }),
  noName: await leaf({ san: [], key: 'triage' }),
  dnsName: await leaf({ san: [], dns: 'triage.example.org', key: 'triage' }),
  uriAndDnsName: await leaf({ san: [triageId], dns: 'triage.example.org', key: 'triage' }),
  notSpiffe: await leaf({ san: ['https://vectors.maso.local/agent/triage/i-1'], key: 'triage' }),
  otherPath: await leaf({ san: [`spiffe://${trustDomain}/operator/triage`], key: 'triage' }),
  clientOnly: await leaf({ san: [triageId], key: 'triage', usages: ['1.3.6.1.5.5.7.3.2'] }),
  noUsage: await leaf({ san: [triageId], key: 'triage', usages: [] }),
  p256: await leaf({ san: [triageId], key: 'p256' }),
  p384: await leaf({ san: [triageId], key: 'p384' }),
  rsa2048: await leaf({ san: [triageId], key: 'rsa2048' }),
  p521: await leaf({ san: [triageId], key: 'p521' }),
  rsa1024: await leaf({ san: [triageId], key: 'rsa1024' }),
  smallOrder: await leaf({ san: [triageId], key: 'smallOrder' }),
};

async function pairOf(name: string): Promise<Pair> {
  const { d: _d, key_ops: _ops, ...publicJwk } = jwkOf(name);
  const namedCurve = ecCurves.get(name);
  const algorithm = namedCurve !== undefined
    ? { name: 'ECDSA', namedCurve }
    : name.startsWith('rsa') ? { name: 'RSA-PSS', hash: 'SHA-256' } : ed25519;
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey('jwk', jwkOf(name), algorithm, true, ['sign']),
    publicKey: await subtle.importKey('jwk', publicJwk, algorithm, true, ['verify']),
  };
}

export function jwkOf(name: string): webcrypto.JsonWebKey {
  const jwk = keys[name];
  if (jwk === undefined) throw new Error(`no key ${name}`);
  return jwk;
}

/** Both authorities bear the same subject: a name proves nothing. */
function authority(pair: Pair, serialNumber: string): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber,
      name: 'CN=vectors authority',
      notBefore: new Date(nowMs - hourMs * 24),
      notAfter: new Date(nowMs + hourMs * 24),
      signingAlgorithm: ed25519,
      keys: pair,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: `spiffe://${trustDomain}` },
        ]),
      ],
    },
    webcrypto,
  );
}

type LeafOptions = {
  readonly san: readonly string[];
  readonly key: string;
  readonly dns?: string;
  readonly issuer?: Pair;
  readonly from?: number;
  readonly to?: number;
  readonly ca?: boolean;
  readonly certSign?: boolean;
  readonly usages?: readonly string[];
  readonly secondExtension?: boolean;
};

async function leaf(options: LeafOptions): Promise<string> {
  const names: x509.JsonGeneralNames = [
    ...options.san.map((value) => ({ type: 'url' as const, value })),
    ...(options.dns === undefined ? [] : [{ type: 'dns' as const, value: options.dns }]),
  ];
  const usages = options.usages ?? ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
  const extensions = [
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, true)]),
    ...(options.secondExtension === true
      ? [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'second.local' }], true)]
      : []),
    new x509.BasicConstraintsExtension(options.ca === true, undefined, true),
    new x509.KeyUsagesExtension(
      x509.KeyUsageFlags.digitalSignature |
        (options.certSign === true ? x509.KeyUsageFlags.keyCertSign : 0),
      true,
    ),
    ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages])]),
  ];
  const publicKey =
    options.key === 'smallOrder' ? smallOrderKey() : (await pairOf(options.key)).publicKey;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: '10',
      issuer: 'CN=vectors authority',
      notBefore: new Date(nowMs + (options.from ?? -30_000)),
      notAfter: new Date(nowMs + (options.to ?? hourMs)),
      signingKey: (options.issuer ?? root).privateKey,
      publicKey,
      signingAlgorithm: ed25519,
      extensions,
    },
    webcrypto,
  );
  return certificate.toString('pem');
}

/** The neutral element of edwards25519 as a public key: one signature verifies for any message. */
function smallOrderKey(): x509.PublicKey {
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from([1, ...new Uint8Array(31)]),
  ]);
  return new x509.PublicKey(spki);
}
