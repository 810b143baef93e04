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

const { subtle } = webcrypto;
const oneMinuteMs = 60_000;

/**
 * An authority that issues as SPIRE's server does: a root of ECDSA or RSA with a SPIFFE id, and leaves
 * with a subject, a name that is not critical, and more uses of the key than a mesh asks for.
 */
export class SpireAuthority {
  readonly bundlePem: string;
  readonly #trustDomain: string;
  readonly #kind: KeyKind;
  readonly #keys: Pair;
  readonly #root: x509.X509Certificate;
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
    return new SpireAuthority(trustDomain, kind, keys, root);
  }

  private constructor(trustDomain: string, kind: KeyKind, keys: Pair, root: x509.X509Certificate) {
    [this.#trustDomain, this.#kind, this.#keys, this.#root] = [trustDomain, kind, keys, root];
    this.bundlePem = `${root.toString('pem')}\n`;
  }

  /** `path`: `agent/NAME/INSTANCE` or `node/NAME`. `hash`: what the authority signs over. */
  async issue(path: string, kind: KeyKind, hash?: string): Promise<WrittenSvid> {
    const { privateKey, publicKey } = await pairOf(kind);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (this.#serial += 1).toString(16).padStart(2, '0'),
      subject: 'C=US, O=SPIRE',
      issuer: this.#root.subject,
      notBefore: new Date(Date.now() - 10_000),
      notAfter: new Date(Date.now() + 10 * oneMinuteMs - 10_000),
      signingKey: this.#keys.privateKey,
      publicKey,
      signingAlgorithm: { ...signingOf(this.#kind), ...(hash === undefined ? {} : { hash }) },
      extensions: [
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment |
            x509.KeyUsageFlags.keyAgreement,
          true,
        ),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(this.#root, false, webcrypto),
        new x509.SubjectAlternativeNameExtension(
          [{ type: 'url', value: `spiffe://${this.#trustDomain}/${path}` }], false,
        ),
      ],
    }, webcrypto);
    const der = Buffer.from(await subtle.exportKey('pkcs8', privateKey));
    const base64 = der.toString('base64').match(/.{1,64}/g)?.join('\n') ?? '';
    const key = `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
    return { svid: `${certificate.toString('pem')}\n`, key, bundle: this.bundlePem };
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
