// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { Buffer } from 'node:buffer';
import { createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { readCertificatesPem } from '../identity/certificate.ts';
import type { Authority, IssueRequest, IssuedSvid, Kms, Wrapped } from '../identity/credential.ts';
import { isSoundEd25519 } from '../identity/ed25519-key.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { decodeBase64Url } from '../identity/jws.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import { anySvidLifetime, backdateMs, backdateOf, svidMsMin } from '../identity/svid-lifetime.ts';
import { encodeStatement, statementOid } from '../identity/svid-statement.ts';
import type { SvidLifetimes } from '../identity/svid-lifetime.ts';
import type { Clock, Random } from '../message/clock.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { isJsonObject } from '../message/json.ts';
import {
  createOwnerOnly, makeOwnerOnlyDirectory, readOwnerOnly, writeOwnerOnly,
} from './credential-file.ts';

export type BuiltinAuthorityOptions = {
  /** Holds `authority.json`; made with mode 0700 when absent. */
  readonly directory: string;
  readonly trustDomain: string;
  readonly kms: Kms;
  /** Wraps the root key anew when it is opened: it may be an earlier KMS's. */
  readonly rewrap?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** The longest lifetime it issues to an identity; absent: an hour to everybody. */
  readonly lifetimes?: SvidLifetimes;
};

type Root = { readonly certificate: x509.X509Certificate; readonly privateKey: CryptoKey };
type CryptoKey = webcrypto.CryptoKey;

const ed25519 = { name: 'Ed25519' };
const fileName = 'authority.json';
const rootLifetimeMs = 10 * 365 * 24 * 3_600_000;
const serialBytes = 16;
const csrLengthMax = 8_192;

/**
 * The built-in `Authority`: an Ed25519 root of ten years, loaded from its directory or founded
 * there on first use. The root key is at rest only as the KMS wrapped it, bound to the domain.
 *
 * Rejects with `IdentityError`: IDENTITY_AUTHORITY_CORRUPT when the file is damaged, exposed or
 * does not open, IDENTITY_TRUST_DOMAIN_FOREIGN when it was founded for another trust domain,
 * IDENTITY_AUTHORITY_UNAVAILABLE when the directory cannot be used. A damaged file is never
 * replaced: that would found another mesh under the same name.
 */
export async function openBuiltinAuthority(options: BuiltinAuthorityOptions): Promise<Authority> {
  const root = await loadOrFound(options);
  const bundlePem = `${root.certificate.toString('pem')}\n`;
  return {
    issue: (request) => issue(request, root, options),
    bundlePem: () => bundlePem,
  };
}

async function issue(
  request: IssueRequest,
  root: Root,
  options: BuiltinAuthorityOptions,
): Promise<IssuedSvid> {
  const id = parseSpiffeId(request.spiffeId);
  if (id === null) throw new IdentityError('IDENTITY_SPIFFE_ID_INVALID', 'Not an SVID name.');
  if (id.trustDomain !== options.trustDomain) {
    throw new IdentityError('IDENTITY_TRUST_DOMAIN_FOREIGN', 'The name is of another domain.');
  }
  const lifetimeMsMax = Math.min((options.lifetimes ?? anySvidLifetime)(id), anySvidLifetime(id));
  if (!(request.lifetimeMs >= svidMsMin && request.lifetimeMs <= lifetimeMsMax)) {
    throw new IdentityError('IDENTITY_LIFETIME_REFUSED', 'The lifetime is out of bounds.');
  }
  const publicKey = await provenKey(request.csrPem);
  const nowMs = options.clock.nowMs();
  // Certificates hold whole seconds; rounding down never adds to what was asked for.
  const notBeforeMs = wholeSecond(nowMs - backdateOf(request.lifetimeMs));
  const expiresAtMs = wholeSecond(nowMs + request.lifetimeMs);
  if (!(expiresAtMs <= root.certificate.notAfter.getTime())) {
    throw new IdentityError('IDENTITY_LIFETIME_REFUSED', 'The authority expires before that.');
  }
  const serial = mintSerial(options.random);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial,
      issuer: root.certificate.subject,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(expiresAtMs),
      signingKey: root.privateKey,
      publicKey,
      signingAlgorithm: ed25519,
      extensions: await leafExtensions(request, publicKey, root),
    },
    webcrypto,
  );
  return { chainPem: `${certificate.toString('pem')}\n`, serial, notBeforeMs, expiresAtMs };
}

/** X509-SVID section 4 and 5: the subject stays empty, so the name must be critical (RFC 5280). */
async function leafExtensions(
  { spiffeId, statement }: IssueRequest,
  publicKey: x509.PublicKey,
  root: Root,
): Promise<x509.Extension[]> {
  return [
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }], true),
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([
      x509.ExtendedKeyUsage.serverAuth,
      x509.ExtendedKeyUsage.clientAuth,
    ]),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
    await x509.AuthorityKeyIdentifierExtension.create(root.certificate, false, webcrypto),
    ...(statement === undefined
      ? []
      : [new x509.Extension(statementOid, false, encodeStatement(statement))]),
  ];
}

/** The public key of a CSR whose holder proved possession. Nothing else of it is ever used. */
async function provenKey(csrPem: string): Promise<x509.PublicKey> {
  if (csrPem.length > csrLengthMax) throw csrRefused();
  try {
    const csr = new x509.Pkcs10CertificateRequest(csrPem);
    const key = createPublicKey({
      key: Buffer.from(csr.publicKey.rawData),
      format: 'der',
      type: 'spki',
    });
    if (isSoundEd25519(key) && (await csr.verify(webcrypto))) return csr.publicKey;
  } catch (failure) {
    throw csrRefused(failure);
  }
  throw csrRefused();
}

async function loadOrFound(options: BuiltinAuthorityOptions): Promise<Root> {
  const path = join(options.directory, fileName);
  try {
    if (!(await makeOwnerOnlyDirectory(options.directory))) throw corrupt('Its directory is open.');
    const known = await readOwnerOnly(path);
    if (known.state === 'absent') {
      await createOwnerOnly(path, await found(options));
    }
    // What stands in the file is the authority, also when another process founded it first.
    const file = known.state === 'absent' ? await readOwnerOnly(path) : known;
    if (file.state !== 'read') throw corrupt('Its file is open to others.');
    const root = await openRoot(file.bytes, options);
    if (options.rewrap === true) await wrapAnew(path, file.bytes, options);
    return root;
  } catch (failure) {
    if (failure instanceof IdentityError) throw failure;
    throw new IdentityError('IDENTITY_AUTHORITY_UNAVAILABLE', 'The authority cannot be opened.', {
      cause: failure,
    });
  }
}

async function found(options: BuiltinAuthorityOptions): Promise<Buffer> {
  const keys = await webcrypto.subtle.generateKey(ed25519, true, ['sign', 'verify']);
  if (!('privateKey' in keys)) throw corrupt('No key pair was made.');
  const nowMs = options.clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: mintSerial(options.random),
      name: [{ O: ['maso'] }, { CN: [`${options.trustDomain} authority`] }],
      notBefore: new Date(wholeSecond(nowMs - backdateMs)),
      notAfter: new Date(wholeSecond(nowMs + rootLifetimeMs)),
      signingAlgorithm: ed25519,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: rootId(options) }]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const plain = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  try {
    const wrapped = await options.kms.wrap(plain, rootId(options));
    return rootFile(certificate.toString('pem'), wrapped);
  } finally {
    plain.fill(0);
  }
}

async function openRoot(bytes: Uint8Array, options: BuiltinAuthorityOptions): Promise<Root> {
  const file = readRootFile(bytes);
  const [certificate, ...rest] = readCertificatesPem(file.certificate) ?? [];
  if (certificate === undefined || rest.length > 0) throw corrupt('Its certificate is damaged.');
  if (certificate.subjectAltName !== `URI:${rootId(options)}`) {
    throw new IdentityError('IDENTITY_TRUST_DOMAIN_FOREIGN', 'It speaks for another domain.');
  }
  const plain = await unwrapRootKey(file.key, options);
  try {
    const privateKey = await webcrypto.subtle.importKey('pkcs8', plain, ed25519, false, ['sign']);
    if (!(await isPair(certificate, privateKey))) throw corrupt('Key and certificate differ.');
    return { certificate: new x509.X509Certificate(certificate.raw), privateKey };
  } catch (failure) {
    if (failure instanceof IdentityError) throw failure;
    throw corrupt('Its key is not an Ed25519 key.', failure);
  } finally {
    plain.fill(0);
  }
}

function readRootFile(bytes: Uint8Array): { readonly certificate: string; readonly key: string } {
  const json = parseStrictJson(bytes);
  const file = json.ok && isJsonObject(json.value) ? json.value : {};
  const { v, certificate, key } = file;
  if (v === 1 && typeof certificate === 'string' && typeof key === 'string') {
    return { certificate, key };
  }
  throw corrupt('Its file is damaged.');
}

/**
 * Wraps the stored key with the present `kms`, while the authority goes on. Resolves with what stays under
 * its earlier wrapping, and rejects with `IdentityError` where the file is none.
 */
export async function rewrapAuthority(
  options: BuiltinAuthorityOptions,
  report: (failure: unknown) => void,
): Promise<readonly Wrapped[]> {
  const path = join(options.directory, fileName);
  const file = await readOwnerOnly(path);
  if (file.state !== 'read') throw corrupt('Its file is gone, or open to others.');
  try {
    await wrapAnew(path, file.bytes, options);
    return [];
  } catch (failure) {
    report(failure);
    const wrapped = Buffer.from(readRootFile(file.bytes).key, 'base64url');
    return [{ wrapped, context: rootId(options) }];
  }
}

/** The same certificate and key under the present wrapping; the file is replaced as a whole. */
async function wrapAnew(
  path: string,
  bytes: Uint8Array,
  options: BuiltinAuthorityOptions,
): Promise<void> {
  const { certificate, key } = readRootFile(bytes);
  const plain = await unwrapRootKey(key, options);
  try {
    await writeOwnerOnly(path, rootFile(certificate, await options.kms.wrap(plain, rootId(options))));
  } finally {
    plain.fill(0);
  }
}

function rootFile(certificate: string, wrapped: Uint8Array): Buffer {
  const file = { v: 1, certificate, key: Buffer.from(wrapped).toString('base64url') };
  return Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
}

async function unwrapRootKey(key: string, options: BuiltinAuthorityOptions): Promise<Buffer> {
  const wrapped = decodeBase64Url(key);
  if (wrapped === null) throw corrupt('Its key is damaged.');
  try {
    const plain = await options.kms.unwrap(wrapped, rootId(options));
    return Buffer.from(plain);
  } catch (failure) {
    throw corrupt('Its key does not open.', failure);
  }
}

/** Signs and verifies once: a certificate beside the wrong key would only fail at its peers. */
async function isPair(certificate: X509Certificate, privateKey: CryptoKey): Promise<boolean> {
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) return false;
  const probe = Buffer.from('maso authority pair');
  const signature = await webcrypto.subtle.sign(ed25519, privateKey, probe);
  const publicKey = await webcrypto.subtle.importKey(
    'spki',
    certificate.publicKey.export({ format: 'der', type: 'spki' }),
    ed25519,
    false,
    ['verify'],
  );
  return webcrypto.subtle.verify(ed25519, publicKey, signature, probe);
}

function rootId(options: BuiltinAuthorityOptions): string {
  return `spiffe://${options.trustDomain}`;
}

/** RFC 5280, 4.1.2.2: positive and not empty; the top bit is clear and the next one set. */
function mintSerial(random: Random): string {
  const serial = Buffer.from(random.bytes(serialBytes));
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  return serial.toString('hex');
}

function wholeSecond(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}

function csrRefused(cause?: unknown): IdentityError {
  return new IdentityError('IDENTITY_CSR_REFUSED', 'The signing request is refused.', { cause });
}

function corrupt(message: string, cause?: unknown): IdentityError {
  return new IdentityError('IDENTITY_AUTHORITY_CORRUPT', message, { cause });
}
