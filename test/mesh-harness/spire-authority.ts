// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { WrittenSvid } from './svid-files.ts';

/** Kinds of keys as SPIRE names them, and some that the mesh must not take. */
export type KeyKind =
  | 'ec-p256' | 'ec-p384' | 'ec-p521' | 'rsa-1024' | 'rsa-2048' | 'rsa-4096' | 'rsa-exponent-3'
  | 'ed25519';

type Pair = { readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey };

/** What an intermediate has that is not as SPIRE makes it. */
export type Intermediate = {
  readonly kind?: KeyKind;
  readonly names?: readonly string[];
  readonly usage?: x509.KeyUsageFlags | null;
  readonly pathLength?: number;
  readonly isAuthority?: boolean;
  /** From now; may lie in the past. */
  readonly notAfterMs?: number;
  readonly extra?: readonly x509.Extension[];
};

const agrees = x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyAgreement;
const leafUsages = {
  signs: x509.KeyUsageFlags.digitalSignature | agrees,
  certifies: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign,
  agrees,
};
const certifies = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
const { subtle } = webcrypto;
const oneMinuteMs = 60_000;

/**
 * An authority that issues as SPIRE's server does: a root of ECDSA or RSA with a SPIFFE id, and leaves
 * with a subject, a name that is not critical, and more uses of the key than a mesh asks for.
 */
export class SpireAuthority {
  readonly bundlePem: string;
  /** Of this authority and those above it up to the root's, which is left out; PEM. */
  readonly #above: string;
  readonly #trustDomain: string;
  readonly #kind: KeyKind;
  readonly #keys: Pair;
  readonly #certificate: x509.X509Certificate;
  #serial = 1;

  static async found(trustDomain: string, kind: KeyKind = 'ec-p256'): Promise<SpireAuthority> {
    const keys = await pairOf(kind);
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: 'C=US, O=SPIFFE',
      notBefore: new Date(Date.now() - oneMinuteMs),
      notAfter: new Date(Date.now() + 24 * 60 * oneMinuteMs),
      signingAlgorithm: signingOf(kind),
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true,
        ),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    }, webcrypto);
    return new SpireAuthority(trustDomain, kind, keys, root, `${root.toString('pem')}\n`, '');
  }

  private constructor(
    trustDomain: string,
    kind: KeyKind,
    keys: Pair,
    certificate: x509.X509Certificate,
    bundlePem: string,
    above: string,
  ) {
    [this.#trustDomain, this.#kind, this.#keys, this.#certificate] = [trustDomain, kind, keys, certificate];
    [this.bundlePem, this.#above] = [bundlePem, above];
  }

  get certificatePem(): string {
    return `${this.#certificate.toString('pem')}\n`;
  }

  /** An authority that this one certifies, as SPIRE's server is below its UpstreamAuthority. */
  async below(change: Intermediate = {}): Promise<SpireAuthority> {
    const { kind = 'ec-p256', names = [`spiffe://${this.#trustDomain}`], usage = certifies } = change;
    const { pathLength, isAuthority = true, notAfterMs = 60 * oneMinuteMs, extra = [] } = change;
    const keys = await pairOf(kind);
    const serial = (this.#serial += 1).toString(16).padStart(2, '0');
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      subject: `C=US, O=SPIRE, CN=${serial}-${this.#above.length}`,
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() - oneMinuteMs),
      notAfter: new Date(Date.now() + notAfterMs),
      signingKey: this.#keys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm: signingOf(this.#kind),
      extensions: [
        new x509.BasicConstraintsExtension(isAuthority, pathLength, true),
        ...(usage === null ? [] : [new x509.KeyUsagesExtension(usage, true)]),
        ...(names.length === 0 ? [] : [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: 'url' as const, value })), false,
          ),
        ]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        ...extra,
      ],
    }, webcrypto);
    const above = `${certificate.toString('pem')}\n${this.#above}`;
    return new SpireAuthority(this.#trustDomain, kind, keys, certificate, this.bundlePem, above);
  }

  /** `path`: `agent/NAME/INSTANCE` or `node/NAME`. `hash`: what the authority signs over. */
  async issue(
    path: string,
    kind: KeyKind,
    hash?: string,
    usage: keyof typeof leafUsages = 'signs',
  ): Promise<WrittenSvid> {
    const { privateKey, publicKey } = await pairOf(kind);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (this.#serial += 1).toString(16).padStart(2, '0'),
      subject: 'C=US, O=SPIRE',
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() - 10_000),
      notAfter: new Date(Date.now() + 10 * oneMinuteMs - 10_000),
      signingKey: this.#keys.privateKey,
      publicKey,
      signingAlgorithm: { ...signingOf(this.#kind), ...(hash === undefined ? {} : { hash }) },
      extensions: [
        new x509.KeyUsagesExtension(leafUsages[usage], true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate, false, webcrypto),
        new x509.SubjectAlternativeNameExtension(
          [{ type: 'url', value: `spiffe://${this.#trustDomain}/${path}` }], false,
        ),
      ],
    }, webcrypto);
    const der = Buffer.from(await subtle.exportKey('pkcs8', privateKey));
    const base64 = der.toString('base64').match(/.{1,64}/g)?.join('\n') ?? '';
    const key = `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
    return { svid: `${certificate.toString('pem')}\n${this.#above}`, key, bundle: this.bundlePem };
  }
}

async function pairOf(kind: KeyKind): Promise<Pair> {
  const keys = await subtle.generateKey(generationOf(kind), true, ['sign', 'verify']);
  if (!('privateKey' in keys)) throw new Error('No key pair was made.');
  return keys;
}

function generationOf(kind: KeyKind): webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams {
  if (kind.startsWith('rsa')) {
    const exponent = kind === 'rsa-exponent-3' ? [3] : [1, 0, 1];
    const modulusLength = kind === 'rsa-exponent-3' ? 2_048 : Number(kind.slice('rsa-'.length));
    const publicExponent = new Uint8Array(exponent);
    return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent };
  }
  if (kind === 'ed25519') return { name: 'Ed25519', namedCurve: 'Ed25519' };
  return { name: 'ECDSA', namedCurve: kind.replace('ec-p', 'P-') };
}

function signingOf(kind: KeyKind): { readonly name: string; readonly hash?: string } {
  if (kind === 'ed25519') return { name: 'Ed25519' };
  if (kind.startsWith('rsa')) return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  return { name: 'ECDSA', hash: kind === 'ec-p384' ? 'SHA-384' : 'SHA-256' };
}
