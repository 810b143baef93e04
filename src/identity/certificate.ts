// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash, X509Certificate } from 'node:crypto';
import { readDer, readDerAll } from './der.ts';
import { parseSpiffeId } from './spiffe-id.ts';
import type { SpiffeId } from './spiffe-id.ts';

/** An SVID takes 450 to 1,800 bytes; anything near this bound is no certificate of this mesh. */
const derBytesMax = 8_192;
const pemLengthMax = 65_536;
const certificatesMax = 8;
const pemBegin = '-----BEGIN CERTIFICATE-----';
const pemEnd = '-----END CERTIFICATE-----';
const pemForm = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** An id as the certificate spells it, and its parts. */
export type CertifiedId = SpiffeId & { readonly text: string };

/** Leaf first. */
export type CertificateChain = readonly [X509Certificate, ...X509Certificate[]];

/** Reads exactly one DER certificate; null for anything else, trailing bytes included. */
export function readCertificate(der: Uint8Array): X509Certificate | null {
  if (der.byteLength > derBytesMax) return null;
  try {
    const certificate = new X509Certificate(der);
    return certificate.raw.equals(der) ? certificate : null;
  } catch {
    // Not a certificate: the caller refuses it with the code that fits its place.
    return null;
  }
}

/** Reads the PEM certificates of a text, leaf first; null when there is none or one is broken. */
export function readCertificatesPem(pem: string): CertificateChain | null {
  if (pem.length > pemLengthMax) return null;
  const blocks = pem.match(pemForm) ?? [];
  if (blocks.length > certificatesMax) return null;
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    const base64 = block.slice(pemBegin.length, -pemEnd.length);
    const certificate = readCertificate(Buffer.from(base64, 'base64'));
    if (certificate === null) return null;
    certificates.push(certificate);
  }
  const [leaf, ...rest] = certificates;
  return leaf === undefined ? null : [leaf, ...rest];
}

/** SHA-256 over the DER, base64url: the `x5t#S256` of RFC 7515, and the hash a join token pins. */
export function thumbprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}

/** DER of the object identifier of basic constraints, and of `critical: TRUE`. */
const basicConstraints = Buffer.from('0603551d13', 'hex');
const objectIdentifier = 0x06;
const criticalTrue = Buffer.from('0101ff', 'hex');

/**
 * True when a certificate states `cA: TRUE`, also where its key usage forbids signing certificates:
 * there OpenSSL answers that it is no authority, while another library may believe the statement.
 */
export function statesAuthority(certificate: X509Certificate): boolean {
  const der = certificate.raw;
  let at = der.indexOf(basicConstraints);
  while (at >= 0) {
    const next = at + basicConstraints.length;
    const critical = der.subarray(next, next + criticalTrue.length).equals(criticalTrue);
    // OCTET STRING and SEQUENCE, each with a length of one byte; an empty sequence says nothing.
    const value = der.subarray(next + (critical ? criticalTrue.length : 0)).subarray(4);
    if (value.subarray(0, 2).equals(criticalTrue.subarray(0, 2))) return true;
    at = der.indexOf(basicConstraints, next);
  }
  return certificate.ca;
}

/** DER of the algorithms that an authority may sign with: Ed25519, and SHA-2 with ECDSA or RSA. */
const signedSoundly: ReadonlySet<string> = new Set([
  '2b6570',
  ...['02', '03', '04'].map((hash) => `2a8648ce3d0403${hash}`),
  ...['0b', '0c', '0d'].map((hash) => `2a864886f70d0101${hash}`),
]);

/**
 * Whether the algorithm of an authority's signature can be believed. OpenSSL verifies what an old
 * authority signed over SHA-1, too, and a second certificate with that signature can be made.
 */
export function isSignedSoundly(certificate: X509Certificate): boolean {
  const outer = readDer(certificate.raw);
  const [, algorithm] = outer === null ? [] : (readDerAll(outer.content) ?? []);
  const id = algorithm === undefined ? null : readDer(algorithm.content);
  return id !== null && id.tag === objectIdentifier && signedSoundly.has(id.content.toString('hex'));
}

/** The hash of a bundle's first authority, for a join token; null when the bundle is broken. */
export function authorityHash(bundlePem: string): string | null {
  const [authority] = readCertificatesPem(bundlePem) ?? [];
  return authority === undefined ? null : thumbprintOf(authority);
}

/**
 * The SPIFFE id of a certificate; null unless its subject alternative name is one URI and nothing
 * else (X509-SVID section 2). The text form joins names with commas, which no SPIFFE id contains,
 * so reading the whole text leaves no room for a second name.
 */
export function spiffeIdOf(certificate: X509Certificate): CertifiedId | null {
  const names = certificate.subjectAltName;
  if (names === undefined || !names.startsWith('URI:')) return null;
  const text = names.slice('URI:'.length);
  const id = parseSpiffeId(text);
  return id === null ? null : { ...id, text };
}
