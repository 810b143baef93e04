// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { X509Certificate } from 'node:crypto';
import { readCertificate, readCertificatesPem } from '../identity/certificate.ts';
import { intermediatesMax } from '../identity/certification-path.ts';
import type { Credential } from '../identity/credential.ts';

/**
 * Header of the request that opens a bus line: the intermediates of the client's certificate, DER in
 * base64, nearest first, with dots between. TLS carries them too, but releases of Node differ in
 * whether a server is told of them, and the node has to show them to recipients.
 */
export const intermediatesHeader = 'maso-intermediates';

export function intermediateHeaders({ chainPem }: Credential): { readonly [name: string]: string } {
  const [, ...above] = readCertificatesPem(chainPem) ?? [];
  if (above.length === 0) return {};
  return { [intermediatesHeader]: above.map(({ raw }) => raw.toString('base64')).join('.') };
}

/** What a client sent of them, believed by nobody yet; null when it cannot be read. */
export function readIntermediates(
  header: string | readonly string[] | undefined,
): readonly X509Certificate[] | null {
  if (header === undefined) return [];
  if (typeof header !== 'string') return null;
  const texts = header.split('.', intermediatesMax + 1);
  if (texts.length > intermediatesMax) return null;
  const read: X509Certificate[] = [];
  for (const text of texts) {
    const bytes = Buffer.from(text, 'base64');
    const certificate = bytes.toString('base64') === text ? readCertificate(bytes) : null;
    if (certificate === null) return null;
    read.push(certificate);
  }
  return read;
}
