// SPDX-License-Identifier: Apache-2.0
import type { Buffer } from 'node:buffer';
import type { X509Certificate } from 'node:crypto';
import { readDer, readDerAll } from './der.ts';

/** One extension of a certificate (RFC 5280, 4.1.2.9). */
export type CertificateExtension = {
  /** Content of the object identifier, DER. */
  readonly oid: Buffer;
  readonly critical: boolean;
  /** What the octet string holds. */
  readonly value: Buffer;
};

/** Contents of object identifiers in hexadecimal. */
export const oids = {
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  extendedKeyUsage: '551d25',
  nameConstraints: '551d1e',
} as const;

/** Bits of the first byte of a key usage. */
export const usages = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;

const tags = { boolean: 0x01, octets: 0x04, oid: 0x06, sequence: 0x30, extensions: 0xa3 } as const;

/**
 * Every extension, found by the structure and not by a search: a key or name holds any bytes. Null
 * when the structure cannot be read, or an extension has other parts than it may have.
 */
export function extensionsOf(der: Buffer): readonly CertificateExtension[] | null {
  const certificate = readDer(der);
  const body = certificate === null ? null : readDer(certificate.content);
  const fields = body === null ? null : readDerAll(body.content);
  if (fields === null) return null;
  const wrapped = fields.find(({ tag }) => tag === tags.extensions);
  if (wrapped === undefined) return [];
  const list = readDer(wrapped.content);
  const items = list === null ? null : readDerAll(list.content);
  if (items === null) return null;
  const extensions: CertificateExtension[] = [];
  for (const { tag, content } of items) {
    const [oid, second, third, ...more] = tag === tags.sequence ? (readDerAll(content) ?? []) : [];
    const value = third ?? second;
    if (oid?.tag !== tags.oid || value?.tag !== tags.octets || more.length > 0) return null;
    if (third !== undefined && second?.tag !== tags.boolean) return null;
    const critical = third !== undefined && second?.content[0] !== 0;
    extensions.push({ oid: oid.content, critical, value: value.content });
  }
  return extensions;
}

/** The first byte of what a key may be used for; null where the certificate does not say it once. */
export function keyUsageOf(certificate: X509Certificate): number | null {
  const found = extensionsOf(certificate.raw)?.filter((one) =>
    one.oid.toString('hex') === oids.keyUsage);
  const [usage] = found ?? [];
  if (usage === undefined || found?.length !== 1) return null;
  // BIT STRING: the byte before the bits counts those that are not used.
  return readDer(usage.value)?.content[1] ?? null;
}
